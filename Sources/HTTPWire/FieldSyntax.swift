/// Grammar of names, values and numbers. RFC 9110 §5.
public enum FieldSyntax {
    /// Whether all bytes, and at least one, are token bytes. RFC 9110 §5.6.2.
    public static func isToken(_ bytes: RawSpan) -> Bool {
        for position in 0..<bytes.byteCount where !bytes[position].isTokenByte { return false }
        return bytes.byteCount > 0
    }

    /// Whether no byte is a control character other than HTAB. RFC 9110 §5.5.
    public static func isFieldValue(_ bytes: RawSpan) -> Bool {
        var position = 0
        while true {
            position = Scanning.control(in: bytes, from: position, to: bytes.byteCount)
            if position == bytes.byteCount { return true }
            guard bytes[position] == .tab else { return false }
            position += 1
        }
    }

    /// Where the bytes stand without SP and HTAB at both ends.
    public static func trimmed(_ bytes: RawSpan) -> Range<Int> {
        var first = 0
        var last = bytes.byteCount
        while first < last && bytes.uncheckedByte(first).isOptionalSpace { first &+= 1 }
        while last > first && bytes.uncheckedByte(last &- 1).isOptionalSpace { last &-= 1 }
        return Range(uncheckedBounds: (first, last))
    }

    /// Writes a folded value as one line: every line break, with the white space around it, becomes one space.
    /// RFC 9112 §5.2.
    public static func unfold(_ value: RawSpan, into line: inout [UInt8]) {
        let first = line.count
        var position = 0
        while position < value.byteCount {
            let byte = value[position]
            guard byte == .carriageReturn || byte == .lineFeed else {
                line.append(byte)
                position += 1
                continue
            }
            while line.count > first, let last = line.last, last.isOptionalSpace { line.removeLast() }
            while position < value.byteCount, value[position] <= .space { position += 1 }
            if line.count > first && position < value.byteCount { line.append(.space) }
        }
    }

    enum Decimal {
        case value(Int)
        case overflow
    }

    /// nil if it is not `1*DIGIT`.
    static func decimal(_ bytes: borrowing RawSpan, from start: Int, to end: Int) -> Decimal? {
        guard start < end else { return nil }
        var value = 0
        // Eighteen digits fit.
        if end &- start <= 18 {
            for position in start..<end {
                let digit = bytes[position] &- UInt8(ascii: "0")
                guard digit < 10 else { return nil }
                value = value &* 10 &+ Int(digit)
            }
            return .value(value)
        }
        var overflows = false
        for position in start..<end {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, first) = value.multipliedReportingOverflow(by: 10)
            let (sum, second) = product.addingReportingOverflow(Int(digit))
            overflows = overflows || first || second
            value = sum
        }
        return overflows ? .overflow : .value(value)
    }

    /// Compares without regard to case; `text` is lower case ASCII.
    @inline(__always)
    package static func equals(_ bytes: borrowing RawSpan, _ range: ByteRange, _ text: StaticString) -> Bool {
        Int(range.count) == text.utf8CodeUnitCount
            && hasPrefix(bytes, from: Int(range.start), to: Int(range.end), text)
    }

    /// Compares without regard to case; `text` is lower case ASCII.
    @inline(__always)
    package static func hasPrefix(_ bytes: borrowing RawSpan, from start: Int, to end: Int, _ text: StaticString)
        -> Bool
    {
        guard end &- start >= text.utf8CodeUnitCount else { return false }
        for offset in 0..<text.utf8CodeUnitCount
        where bytes[start &+ offset].lowerCased != text.utf8Start[offset] { return false }
        return true
    }

    /// Compares without regard to case.
    static func equals(_ bytes: RawSpan, lowerCased text: [UInt8]) -> Bool {
        guard bytes.byteCount == text.count else { return false }
        for position in 0..<text.count where bytes[position].lowerCased != text[position] { return false }
        return true
    }

    static func equalsExactly(_ bytes: RawSpan, _ text: [UInt8]) -> Bool {
        guard bytes.byteCount == text.count else { return false }
        for position in 0..<text.count where bytes[position] != text[position] { return false }
        return true
    }
}
