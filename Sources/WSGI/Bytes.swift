/// Byte scans and comparisons that run a word at a time.
enum Bytes {
    /// Whether two runs hold the same bytes.
    @inline(__always)
    static func equal(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        let count = left.count
        guard count == right.count else { return false }
        guard count >= 8, let a = left.baseAddress, let b = right.baseAddress else {
            for index in 0..<count where left[index] != right[index] { return false }
            return true
        }
        var offset = 0
        while offset &+ 8 <= count {
            if a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                != b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            {
                return false
            }
            offset &+= 8
        }
        // The last word overlaps the one before it.
        return a.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            == b.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    }

    /// The position after the first line feed; nil when there is none.
    static func endOfLine(_ bytes: UnsafeRawBufferPointer) -> Int? {
        bytes.firstIndex(of: 0x0A).map { $0 + 1 }
    }
}
