internal import HTTPServer
internal import HTTPWire
internal import Platform
public import PythonBridge
internal import Transport

/// Tells Python of each request that a gateway runs, before and after: the hooks `pre_request` and `post_request`, and
/// a logger that wants to see requests (`Observer` in python/monoceros/observer.py).
public final class RequestHooks {
    private let begin: PyPointer
    private let end: PyPointer
    private let shouldClose: PyPointer
    /// The request under way as Python sees it, and its environ: owned.
    private var seen: (request: PyPointer, environ: PyPointer)?
    /// Of the last request that is over: the number under which Python keeps what its logger is to be told when the
    /// response has left. 0 where it has been told.
    public private(set) var ticket = 0

    /// - Parameter observer: Python's object.
    /// - Throws: `PythonError`.
    public init(_ observer: borrowing some PythonObject, _ gil: borrowing GIL) throws(PythonError) {
        begin = try gil.attribute(observer, "begin").leak()
        end = try gil.attribute(observer, "end").leak()
        shouldClose = try gil.interned("should_close").leak()
    }

    /// Before the application runs.
    ///
    /// - Returns: whether a hook wants the connection to end with this request.
    /// - Throws: `PythonError`: what the hook raised.
    func begin(
        _ exchange: borrowing Exchange, environ: PyPointer, _ gil: borrowing GIL
    ) throws(PythonError) -> Bool {
        let fields = try Self.fields(of: exchange, gil)
        let staysOpen = exchange.traits.mayPersist
        let request = try gil.call(
            begin, environ, fields, try gil.integer(exchange.number), gil.bool(staysOpen))
        gil.retain(environ)
        let answer = try gil.call(try gil.attribute(request, shouldClose))
        seen = (request.leak(), environ)
        return try gil.isTrue(answer)
    }

    /// After the response, and whatever became of it.
    func end(_ exchange: borrowing Exchange, _ gil: borrowing GIL) {
        ticket = 0
        guard let (request, environ) = seen else { return }
        seen = nil
        do throws(PythonError) {
            try tell(request, environ, exchange, gil)
        } catch {
            gil.writeUnraisable()
        }
        gil.release(request)
        gil.release(environ)
    }

    private func tell(
        _ request: PyPointer, _ environ: PyPointer, _ exchange: borrowing Exchange, _ gil: borrowing GIL
    ) throws(PythonError) {
        let record = exchange.record(at: Clock.now())
        let head = exchange.writer.headBytes
        let fields = try gil.list()
        var (length, isChunked) = (Int?.none, false)
        for (place, name, value) in Self.lines(of: head) {
            if name == "Content-Length" { length = Int(String(decoding: value, as: UTF8.self)) }
            if name == "Transfer-Encoding" { isChunked = true }
            guard place >= record.fieldsOffset || (name == "Content-Length" && record.hasGivenLength) else { continue }
            let pair = try gil.pair(try gil.string(name), try gil.string(latin1: value[...]))
            try gil.append(fields, pair)
        }
        let arguments = try gil.list()
        try gil.append(arguments, request)
        try gil.append(arguments, environ)
        try gil.append(arguments, try gil.string(latin1: Self.status(in: head, code: record.status)[...]))
        try gil.append(arguments, fields)
        if record.status > 0 {
            try gil.append(arguments, try gil.integer(record.bodyCount))
        } else {
            try gil.append(arguments, gil.none())
        }
        if let length {
            try gil.append(arguments, try gil.integer(length))
        } else {
            try gil.append(arguments, gil.none())
        }
        try gil.append(arguments, gil.bool(isChunked))
        try gil.append(arguments, try gil.integer(Int(record.duration / 1000)))
        try gil.append(arguments, gil.bool(exchange.isLeaving))
        ticket = gil.integerValue(try gil.call(end, list: arguments)) ?? 0
    }

    // MARK: Heads as Python's objects

    /// The request's fields as they came: pairs of a name in upper case and a value.
    private static func fields(of exchange: borrowing Exchange, _ gil: borrowing GIL) throws(PythonError) -> PyRef {
        let list = try gil.list()
        for index in 0..<exchange.head.fields.count {
            let field = exchange.head.fields[index]
            let name = String(decoding: exchange.bytes(field.name), as: UTF8.self).uppercased()
            var value = Array(exchange.bytes(field.value))
            if field.isFolded {
                value.removeAll()
                FieldSyntax.unfold(exchange.bytes(field.value).bytes, into: &value)
            }
            let pair = try gil.pair(try gil.string(name), try gil.string(latin1: value[...]))
            try gil.append(list, pair)
        }
        return list
    }

    /// A response's field lines: where each begins, its name and its value.
    private static func lines(of head: UnsafeRawBufferPointer) -> [(place: Int, name: String, value: [UInt8])] {
        var lines: [(Int, String, [UInt8])] = []
        var line = 0
        while let end = head[line...].firstIndex(of: 0x0A), end > line + 1 {
            let text = head[line..<end - 1]
            if line > 0, let colon = text.firstIndex(of: UInt8(ascii: ":")) {
                let value = Array(text[min(colon + 2, text.endIndex)...])
                lines.append((line, String(decoding: text[..<colon], as: UTF8.self), value))
            }
            line = end + 1
        }
        return lines
    }

    /// Code and reason phrase; the code alone where no head was sent, and `-` where there is none.
    private static func status(in head: UnsafeRawBufferPointer, code: Int) -> [UInt8] {
        if code == 0 { return [UInt8(ascii: "-")] }
        guard let end = head.firstIndex(of: 0x0D), let space = head[..<end].firstIndex(of: 0x20) else {
            return Array("\(code)".utf8)
        }
        return Array(head[(space + 1)..<end])
    }
}
