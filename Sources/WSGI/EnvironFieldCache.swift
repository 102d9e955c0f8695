internal import HTTPWire
internal import PythonBridge

/// One field name's environ key, and what requests bring for it.
struct FieldSlot {
    let key: PyPointer
    var lastValue = KeptString()
    /// The request that set it last: a second field line of the same name joins the first.
    var stamp: UInt64 = 0
    let keepsValue: Bool
    /// What joins repeated field lines: `,`, but `; ` for cookies (RFC 6265 §5.4).
    let separator: StaticString

    @inline(__always)
    mutating func reuse(_ value: UnsafeRawBufferPointer, _ gil: borrowing GIL) throws(PythonError) -> PyRef {
        try lastValue.reuse(value, keeps: keepsValue, gil)
    }
}

/// Environ keys for field names: an array for names that the parser knows, a bounded table for those it learns.
struct EnvironFieldCache {
    private static let knownCount = FieldKind.allCases.count
    private static let learnedLimit = 512
    private static let tableSize = 1024
    /// Names longer than this are not learned.
    private static let nameLimit = 64

    /// Known names first, learned ones behind them.
    var slots: [FieldSlot] = []
    private var learned = [UInt16](repeating: 0, count: tableSize)
    private var names: [[UInt8]] = []

    init(_ gil: borrowing GIL) throws(PythonError) {
        for kind in FieldKind.allCases {
            let name = kind.name.withUTF8Buffer { Array($0) }
            slots.append(EnvironFieldCache.slot(try gil.interned(EnvironFieldCache.key(of: name)).leak(), kind))
        }
    }

    private static func slot(_ key: PyPointer, _ kind: FieldKind) -> FieldSlot {
        // Secrets should not live longer than their request, and a field that nobody knows may be one.
        let isSecret = kind == .cookie || kind == .authorization || kind == .proxyAuthorization || kind == .other
        return FieldSlot(
            key: key, keepsValue: !isSecret, separator: kind == .cookie ? "; " : ",")
    }

    /// The CGI name of a field, RFC 3875 §4.1.18.
    static func key(of name: [UInt8]) -> String {
        var text = ""
        for byte in name {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): text.unicodeScalars.append(Unicode.Scalar(byte - 32))
            case UInt8(ascii: "-"): text.unicodeScalars.append("_")
            default: text.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        // Not for a name that merely looks so in CGI: `Content_Length`, where policy lets it through, is any other
        // field.
        let isOwn = (text == "CONTENT_TYPE" || text == "CONTENT_LENGTH") && !name.contains(UInt8(ascii: "_"))
        return isOwn ? text : "HTTP_" + text
    }

    /// The slot of a field name; nil for one that is not worth remembering, whose key is then made for the occasion.
    @inline(__always)
    mutating func slot(_ field: FieldLine, _ name: UnsafeRawBufferPointer, _ gil: borrowing GIL) throws(PythonError)
        -> Int?
    {
        if field.kind != .other { return Int(field.kind.rawValue) }
        return try learnedSlot(name, gil)
    }

    private mutating func learnedSlot(_ name: UnsafeRawBufferPointer, _ gil: borrowing GIL) throws(PythonError) -> Int?
    {
        guard name.count <= Self.nameLimit else { return nil }
        // FNV-1a over the name in one case. Which names are learned is up to clients; the table is bounded and a probe
        // sequence in it short, so a hash that they can predict gains them nothing.
        var hash: UInt32 = 2_166_136_261
        for byte in name {
            // Its key is that of another name too, so it has to be looked for in the environ.
            if byte == UInt8(ascii: "_") { return nil }
            hash = (hash ^ UInt32(Self.folded(byte))) &* 16_777_619
        }
        var index = Int(hash % UInt32(Self.tableSize))
        for _ in 0..<16 {
            let entry = Int(learned[index])
            if entry == 0 { return try learn(name, at: index, gil) }
            if matches(name, names[entry - 1]) { return Self.knownCount + entry - 1 }
            index = (index + 1) % Self.tableSize
        }
        return nil
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    private func matches(_ name: UnsafeRawBufferPointer, _ known: [UInt8]) -> Bool {
        guard name.count == known.count else { return false }
        for index in 0..<name.count where Self.folded(name[index]) != known[index] { return false }
        return true
    }

    private mutating func learn(
        _ name: UnsafeRawBufferPointer, at index: Int, _ gil: borrowing GIL
    ) throws(PythonError) -> Int? {
        guard names.count < Self.learnedLimit else { return nil }
        let folded = name.map(Self.folded)
        let key = try gil.interned(Self.key(of: folded))
        names.append(folded)
        slots.append(Self.slot(key.leak(), .other))
        learned[index] = UInt16(names.count)
        return slots.count - 1
    }

    /// A key for a name that has no slot.
    static func newKey(_ name: UnsafeRawBufferPointer, _ gil: borrowing GIL) throws(PythonError) -> PyRef {
        try gil.string(key(of: name.map(folded)))
    }
}
