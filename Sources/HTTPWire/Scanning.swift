/// Looking at many bytes at once.
///
/// Words of eight bytes are tested with ordinary 64-bit arithmetic, two at a time where runs are long: the standard
/// library's comparisons of byte vectors compile to loops over the bytes on x86-64, its arithmetic does not. In every
/// test below a borrow can only spoil bytes *above* the first one that is flagged, and only the first is used, so the
/// position is exact.
package enum Scanning {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Flags bytes below `bound`, which is at most 0x80.
    @inline(__always)
    private static func below(_ bound: UInt64, _ word: UInt64) -> UInt64 {
        (word &- ones &* bound) & ~word
    }

    /// Flags bytes equal to `byte`.
    @inline(__always)
    private static func equal(_ byte: UInt64, _ word: UInt64) -> UInt64 {
        let difference = word ^ (ones &* byte)
        return (difference &- ones) & ~difference
    }

    /// Whether all eight bytes are letters or hyphens.
    @inline(__always)
    static func isPlainName(_ word: UInt64) -> Bool {
        // With the high bits known to be clear, these sums and differences cannot carry from one byte to the next.
        guard word & highs == 0 else { return false }
        let lower = word | ones &* 0x20
        let letters = (lower &+ ones &* (0x80 &- 0x61)) & ~(lower &+ ones &* (0x80 &- 0x7B))
        let difference = word ^ (ones &* 0x2D)
        let hyphens = ~(difference &+ ones &* 0x7F)
        return (letters | hyphens) & highs == highs
    }

    /// Whether all eight bytes are letters, digits, hyphens or dots.
    @inline(__always)
    static func isPlainHost(_ word: UInt64) -> Bool {
        guard word & highs == 0 else { return false }
        let lower = word | ones &* 0x20
        let letters = (lower &+ ones &* (0x80 &- 0x61)) & ~(lower &+ ones &* (0x80 &- 0x7B))
        let digits = (word &+ ones &* (0x80 &- 0x30)) & ~(word &+ ones &* (0x80 &- 0x3A))
        let marks = (word &+ ones &* (0x80 &- 0x2D)) & ~(word &+ ones &* (0x80 &- 0x2F))
        return (letters | digits | marks) & highs == highs
    }

    /// Position of the first byte in `start..<end` that is a control character, HTAB included, or `end`.
    @inline(__always)
    static func control(in bytes: borrowing RawSpan, from start: Int, to end: Int) -> Int {
        var position = start
        while position &+ 16 <= end {
            let words = bytes.uncheckedWords(position)
            let differences = words ^ SIMD2(repeating: ones &* 0x7F)
            let flags =
                ((words &- SIMD2(repeating: ones &* 0x20)) & ~words
                    | (differences &- SIMD2(repeating: ones)) & ~differences) & SIMD2(repeating: highs)
            if flags[0] | flags[1] != 0 {
                if flags[0] != 0 { return position &+ flags[0].trailingZeroBitCount &>> 3 }
                return position &+ 8 &+ flags[1].trailingZeroBitCount &>> 3
            }
            position &+= 16
        }
        while position &+ 8 <= end {
            let word = bytes.uncheckedWord(position)
            let flags = (below(0x20, word) | equal(0x7F, word)) & highs
            if flags != 0 { return position &+ flags.trailingZeroBitCount &>> 3 }
            position &+= 8
        }
        while position < end {
            let byte = bytes.uncheckedByte(position)
            if byte < 0x20 || byte == 0x7F { return position }
            position &+= 1
        }
        return end
    }

    /// Position of the first byte in `start..<end` that ends a path: not 0x21...0x7E, or `?`, or `#`; or `end`.
    @inline(__always)
    static func pathEnd(in bytes: borrowing RawSpan, from start: Int, to end: Int) -> Int {
        var position = start
        while position &+ 8 <= end {
            let word = bytes.uncheckedWord(position)
            let flags = (below(0x21, word) | equal(0x7F, word) | word | equal(0x3F, word) | equal(0x23, word)) & highs
            if flags != 0 { return position &+ flags.trailingZeroBitCount &>> 3 }
            position &+= 8
        }
        while position < end {
            let byte = bytes.uncheckedByte(position)
            if byte < 0x21 || byte > 0x7E || byte == 0x3F || byte == 0x23 { return position }
            position &+= 1
        }
        return end
    }

    /// Position of the first `byte` in `start..<end`, or `end`.
    @inline(__always)
    package static func first(_ byte: UInt8, in bytes: borrowing RawSpan, from start: Int, to end: Int) -> Int {
        var position = start
        while position &+ 8 <= end {
            let word = bytes.uncheckedWord(position)
            let flags = equal(UInt64(byte), word) & highs
            if flags != 0 { return position &+ flags.trailingZeroBitCount &>> 3 }
            position &+= 8
        }
        while position < end {
            if bytes.uncheckedByte(position) == byte { return position }
            position &+= 1
        }
        return end
    }
}

extension RawSpan {
    /// The byte at a position that the caller has compared with the end.
    @inline(__always)
    func uncheckedByte(_ position: Int) -> UInt8 {
        assert(position >= 0 && position < byteCount)
        return unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self)
    }

    /// Eight bytes, the first of them lowest, of which the caller has compared the last with the end.
    @inline(__always)
    func uncheckedWord(_ position: Int) -> UInt64 {
        assert(position >= 0 && position + 8 <= byteCount)
        return UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self))
    }

    /// Sixteen bytes as two words, of which the caller has compared the last with the end.
    @inline(__always)
    func uncheckedWords(_ position: Int) -> SIMD2<UInt64> {
        SIMD2(uncheckedWord(position), uncheckedWord(position &+ 8))
    }

    /// 1...7 bytes with zeros above them. One load where eight bytes are there; the head's last name is the exception.
    @inline(__always)
    func shortWord(at position: Int, count: Int) -> UInt64 {
        if position &+ 8 <= byteCount {
            return uncheckedWord(position) & (1 &<< UInt64(truncatingIfNeeded: count &* 8) &- 1)
        }
        var word: UInt64 = 0
        for offset in (0..<count).reversed() {
            word = word << 8 | UInt64(self[position + offset])
        }
        return word
    }

    /// The byte at a position; outside the span it traps.
    @inline(__always)
    package subscript(_ position: Int) -> UInt8 {
        unsafeLoad(fromByteOffset: position, as: UInt8.self)
    }
}
