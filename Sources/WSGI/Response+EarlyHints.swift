internal import HTTPServer
internal import HTTPWire
internal import PythonBridge
internal import Transport

/// What an application may do for its client, or learn of it, before it answers.
extension Response {
    /// Whether the client is gone, or gave the response up; true after the request.
    var clientHasLeft: Bool {
        guard let connection else { return true }
        return writer.isLost || connection.clientHasLeft
    }

    /// Sends `103 Early Hints` with the fields at once (RFC 8297). Where it would be of no use, or would be taken for
    /// part of the response, nothing happens: after the head was sent, after the request, and for HTTP/1.0, which has
    /// no 1xx.
    ///
    /// - Parameter fields: an iterable of `(name, value)`, each `str` or, as gunicorn takes them too, `bytes`.
    /// - Throws: `PythonError`: TypeError or ValueError for what cannot be sent; then nothing is.
    func sendEarlyHints(_ fields: PyPointer, _ gil: inout GIL) throws(PythonError) {
        guard isUnderWay, writer.mayHint else { return }
        var hints = EarlyHintsWriter()
        let iterator = try gil.iterator(fields)
        while let pair = try gil.next(iterator.pointer) {
            guard gil.isTuple(pair) || gil.isList(pair), gil.count(pair) == 2 else {
                throw gil.raise(.typeError, "headers must be (name, value) tuples")
            }
            let name = try Self.latin1(try gil.item(pair, 0), gil)
            let value = try Self.latin1(try gil.item(pair, 1), gil)
            do throws(ResponseFault) {
                try hints.append(name: name.span.bytes, value: value.span.bytes)
            } catch {
                throw Self.raise(error, gil)
            }
        }
        hints.finish()
        // The iterable is the application's: meanwhile the response may have been sent, or the request have ended.
        guard isUnderWay else { return }
        hints.bytes.withUnsafeBytes { post(writer.hint($0), of: nil, &gil) }
        try makeRoom(&gil)
    }

    private static func latin1(_ text: PyPointer, _ gil: borrowing GIL) throws(PythonError) -> [UInt8] {
        if gil.isString(text) { return try gil.withLatin1(text) { Array($0) } }
        guard gil.isBytes(text) else { throw gil.raise(.typeError, "header names and values must be str") }
        return Array(try gil.bytes(of: text))
    }
}
