/// A perfect hash of the names in ``FieldKind``, compared without regard to case a word at a time.
///
/// One table for the process, made on first use and never written again, so that a parser is just a pointer to it.
struct KnownFieldNames {
    /// A name as up to four words. Word `i` is read at `min(8 * i, length - 8)`, so that no read leaves the name; a
    /// name shorter than a word is one word with zeros above it.
    private struct Entry {
        var length = 0
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        /// 0x20 under every letter: the bit that tells the cases of a letter apart, and nothing else. Just setting that
        /// bit everywhere would read CR as a hyphen.
        var caseBits: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var kind = FieldKind.other
    }

    private let slots: UnsafePointer<Entry>

    /// Names longer than four words cannot be held.
    static let maximumLength = 32

    private static let slotCount = 128
    /// Found by search: with it no two names in ``FieldKind`` share a slot. The initializer checks that.
    private static let multiplier: UInt32 = 0x2671_0369

    // Immutable once initialized, hence safe to share.
    nonisolated(unsafe) static let shared = KnownFieldNames()

    private init() {
        let slots = UnsafeMutablePointer<Entry>.allocate(capacity: Self.slotCount)
        slots.initialize(repeating: Entry(), count: Self.slotCount)
        for kind in FieldKind.allCases where kind != .other {
            kind.name.withUTF8Buffer { name in
                precondition(!name.isEmpty && name.count <= Self.maximumLength)
                let slot = Self.slot(of: name.span.bytes, at: 0, length: name.count)
                precondition(slots[slot].kind == .other, "two names in one slot: search for another multiplier")
                slots[slot] = Self.entry(of: kind, named: name)
            }
        }
        self.slots = UnsafePointer(slots)
    }

    private static func entry(of kind: FieldKind, named name: UnsafeBufferPointer<UInt8>) -> Entry {
        var entry = Entry(length: name.count, kind: kind)
        func words(_ byteOf: (UInt8) -> UInt8) -> (UInt64, UInt64, UInt64, UInt64) {
            func word(_ index: Int) -> UInt64 {
                guard index * 8 < name.count else { return 0 }
                let start = name.count < 8 ? 0 : min(8 * index, name.count - 8)
                return name[start..<min(start + 8, name.count)].reversed().reduce(0) { $0 << 8 | UInt64(byteOf($1)) }
            }
            return (word(0), word(1), word(2), word(3))
        }
        entry.words = words { $0 }
        entry.caseBits = words { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? 0x20 : 0 }
        return entry
    }

    /// A slot from the length and four bytes, of each the five bits in which the cases of a letter agree.
    @inline(__always)
    private static func slot(of bytes: borrowing RawSpan, at start: Int, length: Int) -> Int {
        let first = UInt32(bytes.uncheckedByte(start) & 31)
        let middle = UInt32(bytes.uncheckedByte(start &+ length &>> 1) & 31)
        let last = UInt32(bytes.uncheckedByte(start &+ length &- 1) & 31)
        let fourthLast = UInt32(bytes.uncheckedByte(start &+ max(length &- 4, 0)) & 31)
        let letters = first &<< 8 | middle &<< 13 | last &<< 18 | fourthLast &<< 23
        let features = UInt32(truncatingIfNeeded: length) | letters
        return Int((features &* multiplier) &>> 25)
    }

    /// The kind of the name at `start`; `.other` for one that is not known. The caller has checked that all of its
    /// `length` bytes are there, and that they are at least one.
    @inline(__always)
    func kind(of bytes: borrowing RawSpan, at start: Int, length: Int) -> FieldKind {
        let slot = Self.slot(of: bytes, at: start, length: length)
        guard slots[slot].length == length else { return .other }
        if length < 8 {
            let word = bytes.shortWord(at: start, count: length)
            return differs(word, slots[slot].words.0, slots[slot].caseBits.0) ? .other : slots[slot].kind
        }
        if differs(bytes.uncheckedWord(start), slots[slot].words.0, slots[slot].caseBits.0) { return .other }
        if length > 8 {
            let at = start &+ min(8, length &- 8)
            if differs(bytes.uncheckedWord(at), slots[slot].words.1, slots[slot].caseBits.1) { return .other }
        }
        if length > 16 {
            let at = start &+ min(16, length &- 8)
            if differs(bytes.uncheckedWord(at), slots[slot].words.2, slots[slot].caseBits.2) { return .other }
        }
        if length > 24 {
            let at = start &+ min(24, length &- 8)
            if differs(bytes.uncheckedWord(at), slots[slot].words.3, slots[slot].caseBits.3) { return .other }
        }
        return slots[slot].kind
    }

    @inline(__always)
    private func differs(_ word: UInt64, _ name: UInt64, _ caseBits: UInt64) -> Bool {
        (word ^ name) & ~caseBits != 0
    }
}
