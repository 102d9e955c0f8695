extension FieldSyntax {
    /// Decodes `%HH` in a path. What is no valid escape stays as it is, like Python's `unquote_to_bytes`.
    /// RFC 3986 §2.1.
    ///
    /// - Parameter buffer: at least as long as `path`.
    /// - Returns: the number of bytes written, at most `path.byteCount`.
    public static func percentDecode(_ path: RawSpan, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        precondition(buffer.count >= path.byteCount)
        var read = 0
        var written = 0
        while read < path.byteCount {
            var byte = path[read]
            read &+= 1
            if byte == UInt8(ascii: "%") && read &+ 1 < path.byteCount,
                let high = path[read].hexValue, let low = path[read &+ 1].hexValue
            {
                byte = high &<< 4 | low
                read &+= 2
            }
            buffer[written] = byte
            written &+= 1
        }
        return written
    }

    /// Whether there is anything to decode: most paths can be taken as they are.
    public static func hasPercent(_ path: RawSpan) -> Bool {
        Scanning.first(UInt8(ascii: "%"), in: path, from: 0, to: path.byteCount) < path.byteCount
    }
}
