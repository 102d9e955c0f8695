/// Walks over a comma-separated list. RFC 9110 §5.6.1.
package struct TokenList {
    private var position: Int
    private let end: Int
    private var isDone = false

    package init(from start: Int, to end: Int) {
        position = start
        self.end = end
    }

    /// The next element without the white space around it, empty elements included; nil behind the last.
    package mutating func next(_ bytes: borrowing RawSpan) -> ByteRange? {
        guard !isDone else { return nil }
        let comma = Scanning.first(UInt8(ascii: ","), in: bytes, from: position, to: end)
        var first = position
        var last = comma
        while first < last && bytes.uncheckedByte(first).isOptionalSpace { first &+= 1 }
        while last > first && bytes.uncheckedByte(last &- 1).isOptionalSpace { last &-= 1 }
        position = comma &+ 1
        isDone = comma == end
        return ByteRange(first, last)
    }
}
