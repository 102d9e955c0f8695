/// Writes the interim response `103 Early Hints`. RFC 8297.
public struct EarlyHintsWriter {
    /// The response so far; complete after ``finish()``.
    public private(set) var bytes = Array("HTTP/1.1 103 Early Hints\r\n".utf8)

    public init() {}

    /// Adds a field, by the rules of the final response: see ``ResponseHeadWriter/append(name:value:)``. Fields that
    /// are the server's to send are dropped, and so is Content-Length, which no 1xx has (RFC 9110 §8.6).
    ///
    /// - Parameter value: Latin-1 text.
    public mutating func append(name: RawSpan, value: RawSpan) throws(ResponseFault) {
        guard ResponseFieldName.isToken(name) else { throw .invalidFieldName }
        guard FieldSyntax.isFieldValue(value) else { throw .invalidFieldValue }
        guard ResponseFieldName.role(of: name) == .application else { return }
        let value = value.extracting(FieldSyntax.trimmed(value))
        guard bytes.count + name.byteCount + value.byteCount + 4 <= ResponseHeadWriter.headSizeLimit else {
            throw .headTooLarge
        }
        name.withUnsafeBytes { bytes.append(contentsOf: $0) }
        bytes += [UInt8(ascii: ":"), .space]
        value.withUnsafeBytes { bytes.append(contentsOf: $0) }
        bytes += [.carriageReturn, .lineFeed]
    }

    /// Ends the response; nothing is added after that.
    public mutating func finish() {
        bytes += [.carriageReturn, .lineFeed]
    }
}
