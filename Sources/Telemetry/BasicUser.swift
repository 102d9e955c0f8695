/// The user of an `Authorization` field with the Basic scheme (RFC 7617), as gunicorn finds it.
extension TextBuffer {
    /// Appends the user's name; nothing when there is none, or it cannot be read.
    mutating func append(logUserOf value: UnsafeRawBufferPointer) {
        guard let code = Self.credentials(in: value) else { return }
        let start = count
        guard append(base64: code) else { return truncate(start) }
        // In place: the name is decoded behind what was written, escaped behind that, and moved down.
        let end = bytes[start...].firstIndex(of: UInt8(ascii: ":")) ?? count
        guard UTF8Text.isValid(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) else { return truncate(start) }
        truncate(end)
        escapeTail(from: start)
    }

    /// What stands behind the scheme, and one space.
    private static func credentials(in value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let scheme: StaticString = "basic"
        guard value.count > scheme.utf8CodeUnitCount else { return nil }
        for index in 0..<scheme.utf8CodeUnitCount where value[index] | 0x20 != scheme.utf8Start[index] { return nil }
        guard let space = value.firstIndex(of: UInt8(ascii: " ")) else { return nil }
        return UnsafeRawBufferPointer(rebasing: value[(space + 1)...])
    }

    /// Decodes as Python's `b64decode` does when it is not strict: what is not in the alphabet is passed over, and
    /// padding that completes a group of four ends it.
    ///
    /// - Returns: false when the last group is not complete.
    private mutating func append(base64 code: UnsafeRawBufferPointer) -> Bool {
        var (group, size, pads) = (UInt32(0), 0, 0)
        for byte in code {
            if byte == UInt8(ascii: "=") {
                pads += 1
                if size >= 2, size + pads >= 4 { return true }
                continue
            }
            guard let digit = Self.base64(byte) else { continue }
            pads = 0
            group = group << 6 | digit
            switch size {
            case 1: append(UInt8(truncatingIfNeeded: group >> 4))
            case 2: append(UInt8(truncatingIfNeeded: group >> 2))
            case 3: append(UInt8(truncatingIfNeeded: group))
            default: break
            }
            size = (size + 1) % 4
        }
        return size == 0
    }

    private static func base64(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    /// Escapes what was written behind `start`, which is UTF-8.
    private mutating func escapeTail(from start: Int) {
        let size = count - start
        // Longer than any name: the beginning is told, whole characters of it.
        var kept = min(size, Self.longestUser)
        while kept > 0, kept < size, bytes[start + kept] & 0xC0 == 0x80 { kept -= 1 }
        withUnsafeTemporaryAllocation(byteCount: kept, alignment: 1) { copy in
            copy.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + kept]))
            truncate(start)
            append(log: UnsafeRawBufferPointer(copy), isUTF8: true)
        }
    }

    private static var longestUser: Int { 1024 }
}

/// What RFC 3629 calls UTF-8.
enum UTF8Text {
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            let first = bytes[index]
            let (size, low, high): (Int, UInt8, UInt8) =
                switch first {
                case ..<0x80: (1, 0, 0)
                case 0xC2...0xDF: (2, 0x80, 0xBF)
                case 0xE0: (3, 0xA0, 0xBF)
                case 0xED: (3, 0x80, 0x9F)
                case 0xE1...0xEF: (3, 0x80, 0xBF)
                case 0xF0: (4, 0x90, 0xBF)
                case 0xF1...0xF3: (4, 0x80, 0xBF)
                case 0xF4: (4, 0x80, 0x8F)
                default: (0, 0, 0)
                }
            guard size > 0, bytes.count - index >= size else { return false }
            if size > 1 {
                guard (low...high).contains(bytes[index + 1]) else { return false }
                for offset in 2..<max(2, size) where bytes[index + offset] & 0xC0 != 0x80 { return false }
            }
            index += size
        }
        return true
    }
}
