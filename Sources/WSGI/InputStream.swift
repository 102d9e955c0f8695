internal import Platform
internal import PythonBridge
internal import Transport

/// `wsgi.input`: a request's body, from memory, from a file, or from the socket (PEP 3333, "Input and Error Streams").
final class InputStream {
    private enum Source {
        case empty
        case memory(ByteStore)
        case file(SpoolFile)
        case live(LiveInput)
    }

    private let source: Source
    private let count: Int
    private var position = 0
    /// What was last read of a file to look for a line's end: most lines need no call of the system. The lock protects
    /// it.
    private var window = FileWindow()

    /// The body of a request that has none. It has no state, so one serves all requests.
    init() {
        source = .empty
        count = 0
    }

    convenience init(copying bytes: UnsafeRawBufferPointer) {
        self.init(ByteStore(bytes))
    }

    init(_ store: ByteStore) {
        source = .memory(store)
        count = store.count
    }

    init(_ file: SpoolFile) {
        source = .file(file)
        count = file.count
    }

    init(_ stream: BodyStream) {
        source = .live(LiveInput(stream))
        count = 0
    }

    private var remaining: Int { count - position }

    /// Up to `limit` bytes; all that is left for nil. Empty at the end.
    func read(_ limit: Int?, _ gil: inout GIL) throws(PythonError) -> PyRef {
        if case .live(let input) = source { return try input.read(limit, &gil) }
        let size = min(limit ?? remaining, remaining)
        let start = position
        switch source {
        case .empty, .live:
            return try gil.makeBytes(UnsafeRawBufferPointer(start: nil, count: 0))
        case .memory(let store):
            let bytes = try gil.makeBytes(UnsafeRawBufferPointer(rebasing: store.bytes[start..<(start + size)]))
            position += size
            return bytes
        case .file(let file):
            if let known = window.bytes(start..<(start + size)) {
                position += size
                return try gil.makeBytes(known)
            }
            // Other threads may read meanwhile, and must not read the same.
            position += size
            do throws(PythonError) {
                return try read(file, at: start, size, &gil)
            } catch {
                // Nothing was read. What another thread has taken behind it meanwhile stays taken.
                if position == start + size { position = start }
                throw error
            }
        }
    }

    private func read(
        _ file: SpoolFile, at start: Int, _ size: Int, _ gil: inout GIL
    ) throws(PythonError) -> PyRef {
        var failure: SystemError?
        let bytes = try gil.makeBytesReleased(count: size) { target in
            do throws(SystemError) {
                let count = try file.descriptor.read(into: target, at: start)
                if count < size { failure = SystemError(.inputOutput, call: "pread") }
                return count
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw Self.unreadable(failure, gil) }
        return bytes
    }

    /// Up to and including the next line feed, and not more than `limit` bytes.
    func readLine(_ limit: Int?, _ gil: inout GIL) throws(PythonError) -> PyRef {
        if case .live(let input) = source { return try input.readLine(limit, &gil) }
        if case .file(let file) = source { return try readLine(of: file, limit, &gil) }
        let longest = min(limit ?? remaining, remaining)
        return try read(lineLength(longest), &gil)
    }

    private func lineLength(_ longest: Int) -> Int {
        guard case .memory(let store) = source else { return 0 }
        return Bytes.endOfLine(UnsafeRawBufferPointer(rebasing: store.bytes[position..<(position + longest)]))
            ?? longest
    }

    /// The lock is given up for each read. Whoever finds that another thread has read meanwhile begins again: no byte
    /// is in two lines.
    private func readLine(of file: SpoolFile, _ limit: Int?, _ gil: inout GIL) throws(PythonError) -> PyRef {
        while true {
            let start = position
            let longest = min(limit ?? remaining, remaining)
            var length = 0
            while length < longest, position == start {
                if let known = window.bytes(from: start + length, atMost: longest - length) {
                    if let end = Bytes.endOfLine(known) { return try read(length + end, &gil) }
                    length += known.count
                } else {
                    try refill(from: file, at: start + length, &gil)
                }
            }
            if position == start { return try read(longest, &gil) }
        }
    }

    private func refill(from file: SpoolFile, at offset: Int, _ gil: inout GIL) throws(PythonError) {
        let store = FileWindow.Store(count: min(FileWindow.size, count - offset))
        let failure = gil.released { () -> SystemError? in
            do throws(SystemError) {
                let read = try file.descriptor.read(into: store.room, at: offset)
                return read < store.room.count ? SystemError(.inputOutput, call: "pread") : nil
            } catch {
                return error
            }
        }
        if let failure { throw Self.unreadable(failure, gil) }
        window = FileWindow(store, at: offset)
    }

    /// A body that is not all there must never look like one that is.
    private static func unreadable(_ cause: SystemError, _ gil: borrowing GIL) -> PythonError {
        gil.raise(.osError, "the request body, which was kept in a file, cannot be read: \(cause)")
    }

    // MARK: The Python type

    static func makeType(_ gil: borrowing GIL) throws(PythonError) -> NativeType {
        var slots = NativeType.Slots()
        slots.iterator = { stream in
            GIL.calledByPython { (_) throws(PythonError) in PyRef(retaining: stream!).leak() }
        }
        slots.next = { stream in
            GIL.calledByPython { (gil) throws(PythonError) in
                let line = try InputStream.of(stream).readLine(nil, &gil)
                // No result and no exception: the end of the iteration.
                return try gil.bytes(of: line.pointer).isEmpty ? nil : line.leak()
            }
        }
        return try NativeType.make(
            name: "monoceros.InputStream", doc: "The request's body.",
            methods: [("read", read), ("readline", readLine), ("readlines", readLines)], slots: slots, gil)
    }

    /// Only instances of the type get here, and each carries a stream.
    private static func of(_ object: PyPointer?) -> InputStream {
        NativeType.payload(object!, as: InputStream.self)!
    }

    /// A size argument: absent, None and negative mean "no limit".
    private static func limit(_ arguments: Arguments, _ gil: borrowing GIL) throws(PythonError) -> Int? {
        guard let size = try arguments.get(0, "size", "hint", gil: gil), size != gil.none() else { return nil }
        let limit = try gil.int(size)
        return limit < 0 ? nil : limit
    }

    private static let read: NativeMethod = { stream, values, count, names in
        GIL.calledByPython { (gil) throws(PythonError) in
            let arguments = Arguments(values, count, names)
            try arguments.check("read", 0...1, "size", gil: gil)
            let limit = try InputStream.limit(arguments, gil)
            return try InputStream.of(stream).read(limit, &gil).leak()
        }
    }

    private static let readLine: NativeMethod = { stream, values, count, names in
        GIL.calledByPython { (gil) throws(PythonError) in
            let arguments = Arguments(values, count, names)
            try arguments.check("readline", 0...1, "size", gil: gil)
            let limit = try InputStream.limit(arguments, gil)
            return try InputStream.of(stream).readLine(limit, &gil).leak()
        }
    }

    /// With a hint, stops after the line that reaches it, as files do; 0 is no hint.
    private static let readLines: NativeMethod = { stream, values, count, names in
        GIL.calledByPython { (gil) throws(PythonError) in
            let arguments = Arguments(values, count, names)
            try arguments.check("readlines", 0...1, "hint", gil: gil)
            let hint = try InputStream.limit(arguments, gil)
            let lines = try gil.list()
            var total = 0
            while true {
                let line = try InputStream.of(stream).readLine(nil, &gil)
                let size = try gil.bytes(of: line.pointer).count
                if size == 0 { break }
                try gil.append(lines.pointer, line.pointer)
                total += size
                if let hint, hint > 0, total >= hint { break }
            }
            return lines.leak()
        }
    }
}
