/// What goes around the data of a chunked response. RFC 9112 §7.1.
public enum ChunkFraming {
    /// The most bytes that ``writeSizeLine(_:into:)`` writes: 16 digits and CRLF.
    public static let sizeLineLimit = 18

    /// What follows the data of a chunk.
    public static let dataEnd: StaticString = "\r\n"

    /// The last chunk and an empty trailer section.
    public static let bodyEnd: StaticString = "0\r\n\r\n"

    /// Writes the line in front of the data of a chunk.
    ///
    /// - Parameter size: bytes of data, above 0: an empty chunk would end the body.
    /// - Parameter buffer: at least ``sizeLineLimit`` bytes.
    /// - Returns: bytes written.
    public static func writeSizeLine(_ size: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        precondition(size > 0 && buffer.count >= sizeLineLimit)
        let digits = (Int.bitWidth - size.leadingZeroBitCount + 3) / 4
        var rest = size
        for position in (0..<digits).reversed() {
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            buffer[position] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
            rest >>= 4
        }
        buffer[digits] = .carriageReturn
        buffer[digits + 1] = .lineFeed
        return digits + 2
    }
}
