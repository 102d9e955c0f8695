/// An `access_log_format`, read once: a list of pieces that write themselves.
///
/// The language is that of Python's `%` with a mapping, as gunicorn uses it: `%(atom)s`, with flags, width and
/// precision, and
/// `%%`. Numbers may be written with `d`. What Python has besides (`r`, `x`, floating point, `*`) is refused when the
/// format is read, where gunicorn drops each line with a traceback, or for `r` and `x` writes what no log reader
/// expects.
public struct AccessLogFormat: Sendable {
    enum Piece: Sendable {
        case literal(AccessLogName)
        /// `%(atom)s` and nothing else.
        case atom(AccessLogAtom)
        case converted(AccessLogAtom, Conversion)

        var atom: AccessLogAtom? {
            switch self {
            case .literal: nil
            case .atom(let atom), .converted(let atom, _): atom
            }
        }
    }

    /// How an atom is written.
    struct Conversion: Equatable, Sendable {
        var isNumber = false
        var alignsLeft = false
        var padsWithZeros = false
        /// `+` or a space, in front of numbers that are not negative.
        var sign: UInt8?
        var width = 0
        var precision: Int?
    }

    let pieces: [Piece]
    /// The same for a line of text.
    let steps: [Step]
    /// Whether a line needs the decoded path.
    public let needsPath: Bool
    /// Literals and names.
    let text: [UInt8]

    /// gunicorn's default: the combined log format of Apache.
    public static let standard = #"%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s""#
    /// No log line needs wider columns, and a format must not make lines of gigabytes.
    static let widthLimit = 1000

    /// - Throws: `AccessLogFormatError`, which says what is wrong and where.
    public init(_ format: String) throws(AccessLogFormatError) {
        var reader = FormatReader(Array(format.utf8))
        try reader.read()
        pieces = reader.pieces
        needsPath = reader.pieces.contains { $0.atom == .path }
        text = reader.text
        steps = Step.steps(of: reader.pieces, reader.text)
    }

    /// Atoms in the order of the format.
    var atoms: [AccessLogAtom] {
        pieces.compactMap(\.atom)
    }

    /// Bytes of a line that are the format's own, padding included.
    public var literalCount: Int {
        pieces.reduce(0) { count, piece in
            switch piece {
            case .literal(let name): count + name.count
            case .atom: count
            case .converted(_, let conversion): count + max(conversion.width, conversion.precision ?? 0)
            }
        }
    }

    /// Whether a line needs the client's address, which an application may know better than the server.
    public var needsAddress: Bool { pieces.contains { $0.atom == .remoteAddress } }

    /// Whether a line needs the environ, which only somebody with the GIL can read.
    public var needsEnviron: Bool {
        atoms.contains { if case .environ = $0 { true } else { false } }
    }

    /// Whether a line needs fields of the request besides those that ``AccessLogFields`` names.
    public var needsRequestFields: Bool {
        atoms.contains { if case .requestField = $0 { true } else { false } }
    }

    /// Whether a line needs fields of the response.
    public var needsResponseFields: Bool {
        atoms.contains { if case .responseField = $0 { true } else { false } }
    }

    /// The entries of the environ that a line needs: their names, in lower case.
    public var environNames: [[UInt8]] {
        atoms.compactMap { atom in
            guard case .environ(let name) = atom else { return nil }
            return text.withUnsafeBytes { Array(name.bytes(in: $0)) }
        }
    }
}

/// Takes a format apart.
private struct FormatReader {
    private(set) var pieces: [AccessLogFormat.Piece] = []
    private(set) var text: [UInt8] = []
    private var kept: [AccessLogName] = []
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func read() throws(AccessLogFormatError) {
        var literal: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            guard byte == UInt8(ascii: "%") else {
                literal.append(byte)
                continue
            }
            let start = offset - 1
            guard let next = peek else { throw .incomplete(offset: start) }
            if next == UInt8(ascii: "%") {
                offset += 1
                literal.append(next)
                continue
            }
            guard next == UInt8(ascii: "(") else { throw .withoutName(offset: start) }
            if !literal.isEmpty { pieces.append(.literal(keep(literal))) }
            literal = []
            let name = try key(from: start)
            let atom = AccessLogAtom(name) { keep($0) }
            pieces.append(try conversion(of: atom, named: name, from: start))
        }
        if !literal.isEmpty { pieces.append(.literal(keep(literal))) }
    }

    /// The place of these bytes in the text.
    private mutating func keep(_ bytes: [UInt8]) -> AccessLogName {
        if let same = kept.first(where: { Array(text[$0.offset..<$0.offset + $0.count]) == bytes }) { return same }
        let name = AccessLogName(offset: text.count, count: bytes.count)
        text += bytes
        kept.append(name)
        return name
    }

    private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    /// The name in parentheses, which may hold pairs of them.
    private mutating func key(from start: Int) throws(AccessLogFormatError) -> [UInt8] {
        var depth = 0
        let first = offset + 1
        while let byte = peek {
            offset += 1
            if byte == UInt8(ascii: "(") { depth += 1 }
            if byte == UInt8(ascii: ")") { depth -= 1 }
            if depth == 0 { return Array(bytes[first..<offset - 1]) }
        }
        throw .incomplete(offset: start)
    }

    private mutating func conversion(
        of atom: AccessLogAtom, named name: [UInt8], from start: Int
    ) throws(AccessLogFormatError) -> AccessLogFormat.Piece {
        var conversion = AccessLogFormat.Conversion()
        flags: while let byte = peek {
            switch byte {
            case UInt8(ascii: "-"): conversion.alignsLeft = true
            case UInt8(ascii: "0"): conversion.padsWithZeros = true
            case UInt8(ascii: "+"): conversion.sign = byte
            case UInt8(ascii: " "): conversion.sign = conversion.sign ?? byte
            case UInt8(ascii: "#"): break
            default: break flags
            }
            offset += 1
        }
        conversion.width = try number(from: start) ?? 0
        if peek == UInt8(ascii: ".") {
            offset += 1
            conversion.precision = try number(from: start) ?? 0
        }
        // Python ignores a length, as C has it.
        if let byte = peek, [UInt8(ascii: "h"), UInt8(ascii: "l"), UInt8(ascii: "L")].contains(byte) { offset += 1 }
        guard let kind = peek else { throw .incomplete(offset: start) }
        offset += 1
        switch kind {
        case UInt8(ascii: "s"):
            conversion.sign = nil
            conversion.padsWithZeros = false
        case UInt8(ascii: "d"), UInt8(ascii: "i"), UInt8(ascii: "u"):
            guard atom.isNumber else { throw .notANumber(atom: String(decoding: name, as: UTF8.self), offset: start) }
            conversion.isNumber = true
        default:
            throw .unknownConversion(String(UnicodeScalar(kind)), offset: start)
        }
        return conversion == AccessLogFormat.Conversion() ? .atom(atom) : .converted(atom, conversion)
    }

    private mutating func number(from start: Int) throws(AccessLogFormatError) -> Int? {
        var value: Int?
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            offset += 1
            let larger = (value ?? 0) * 10 + Int(byte - UInt8(ascii: "0"))
            guard larger <= AccessLogFormat.widthLimit else { throw .tooWide(offset: start) }
            value = larger
        }
        return value
    }
}

/// What is wrong with an `access_log_format`. Offsets are in bytes, of the `%`.
public enum AccessLogFormatError: Error, Equatable, Sendable {
    /// A `%` whose conversion does not end.
    case incomplete(offset: Int)
    /// A `%` that neither names an atom nor is `%%`.
    case withoutName(offset: Int)
    case unknownConversion(String, offset: Int)
    /// `d` for an atom that is text.
    case notANumber(atom: String, offset: Int)
    case tooWide(offset: Int)
}

extension AccessLogFormatError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .incomplete(let offset):
            "the % at offset \(offset) starts what does not end; write %% for a percent sign, %(h)s for an atom"
        case .withoutName(let offset):
            "the % at offset \(offset) names no atom; write %% for a percent sign, %(h)s for an atom"
        case .unknownConversion(let conversion, let offset):
            "the % at offset \(offset) ends in '\(conversion)'; atoms end in s, and those that are numbers in s or d"
        case .notANumber(let atom, let offset):
            "the % at offset \(offset) asks for a number, and %(\(atom)) is text; write %(\(atom))s"
        case .tooWide(let offset):
            "the % at offset \(offset) asks for more than \(AccessLogFormat.widthLimit) characters"
        }
    }
}
