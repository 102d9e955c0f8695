/// A run of bytes in a format's text: literals and names stand there together, so that pieces are plain values.
struct AccessLogName: Equatable, Sendable {
    let offset: Int
    let count: Int
}

/// An atom of an access log format: gunicorn's names and texts.
enum AccessLogAtom: Equatable, Sendable {
    case remoteAddress, identity, user, time, request, status, method, path, query, version
    case bytesText, bytes, referer, userAgent, seconds, milliseconds, microseconds, decimalSeconds, process
    case requestField(AccessLogName)
    case responseField(AccessLogName)
    case environ(AccessLogName)
    case unknown

    /// - Parameters:
    ///   - name: as it stands between the parentheses.
    ///   - keep: puts a name into the format's text; the same place for the same name.
    init(_ name: [UInt8], _ keep: ([UInt8]) -> AccessLogName) {
        if name.count == 1 {
            switch name[0] {
            case UInt8(ascii: "h"): self = .remoteAddress
            case UInt8(ascii: "l"): self = .identity
            case UInt8(ascii: "u"): self = .user
            case UInt8(ascii: "t"): self = .time
            case UInt8(ascii: "r"): self = .request
            case UInt8(ascii: "s"): self = .status
            case UInt8(ascii: "m"): self = .method
            case UInt8(ascii: "U"): self = .path
            case UInt8(ascii: "q"): self = .query
            case UInt8(ascii: "H"): self = .version
            case UInt8(ascii: "b"): self = .bytesText
            case UInt8(ascii: "B"): self = .bytes
            case UInt8(ascii: "f"): self = .referer
            case UInt8(ascii: "a"): self = .userAgent
            case UInt8(ascii: "T"): self = .seconds
            case UInt8(ascii: "M"): self = .milliseconds
            case UInt8(ascii: "D"): self = .microseconds
            case UInt8(ascii: "L"): self = .decimalSeconds
            case UInt8(ascii: "p"): self = .process
            default: self = .unknown
            }
            return
        }
        // `{Name}i`: without regard to case, the letter behind it included.
        let lower = name.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        guard lower.count >= 3, lower[0] == UInt8(ascii: "{"), lower[lower.count - 2] == UInt8(ascii: "}") else {
            self = .unknown
            return
        }
        let inner = Array(lower[1..<lower.count - 2])
        switch lower[lower.count - 1] {
        case UInt8(ascii: "i"): self = .requestField(keep(inner))
        case UInt8(ascii: "o"): self = .responseField(keep(inner))
        case UInt8(ascii: "e"): self = .environ(keep(inner))
        default: self = .unknown
        }
    }

    /// Whether `d` may write it: what is an `int` in gunicorn.
    var isNumber: Bool {
        switch self {
        case .bytes, .seconds, .milliseconds, .microseconds: true
        default: false
        }
    }

    /// The value of an atom that is a number.
    func number(_ fields: some AccessLogFields) -> Int {
        let microseconds = Int(truncatingIfNeeded: fields.duration / 1000)
        return switch self {
        case .bytes: fields.bytesSent ?? 0
        case .seconds: microseconds / 1_000_000
        case .milliseconds: microseconds / 1000
        case .microseconds: microseconds
        default: 0
        }
    }

    /// Writes its text, with everything escaped that could end the line or a quoted value.
    ///
    /// - Parameter text: the format's.
    @inline(__always)
    func write(_ fields: some AccessLogFields, _ text: UnsafeRawBufferPointer, to out: inout TextBuffer) {
        switch self {
        case .remoteAddress:
            if let changed = fields.changedAddress { return out.append(log: changed.bytes, isUTF8: changed.isUTF8) }
            if let address = fields.remoteAddress { out.append(address) } else { out.append(UInt8(ascii: "-")) }
        case .identity, .unknown: out.append(UInt8(ascii: "-"))
        case .user: Self.writeUser(fields, to: &out)
        case .time:
            if let text = fields.logTime {
                out.append(text)
            } else {
                out.append(logTime: fields.time, zone: fields.timeZone)
            }
        case .request:
            if let line = fields.requestLine { return out.append(log: line, isUTF8: false) }
            guard fields.method != nil || fields.target != nil else { return out.append(UInt8(ascii: "-")) }
            out.append(log: fields.method)
            out.append(UInt8(ascii: " "))
            out.append(log: fields.target)
            out.append(UInt8(ascii: " "))
            out.append(log: fields.version)
        case .status:
            if fields.status > 0 { out.append(fields.status) } else { out.append(UInt8(ascii: "-")) }
        case .method: out.append(log: fields.method)
        case .path: out.append(log: fields.path)
        case .query: out.append(log: fields.query)
        case .version: out.append(log: fields.version)
        case .bytesText:
            if let count = fields.bytesSent { out.append(count) } else { out.append(UInt8(ascii: "-")) }
        case .bytes:
            if let count = fields.bytesSent { out.append(count) } else { out.append("None") }
        case .seconds, .milliseconds, .microseconds: out.append(number(fields))
        case .decimalSeconds:
            let microseconds = fields.duration / 1000
            out.append(microseconds / 1_000_000)
            out.append(UInt8(ascii: "."))
            out.append(microseconds % 1_000_000, digits: 6)
        case .process:
            out.append(UInt8(ascii: "<"))
            out.append(fields.process)
            out.append(UInt8(ascii: ">"))
        case .referer: out.append(log: fields.referer)
        case .userAgent: out.append(log: fields.userAgent)
        case .requestField(let name): out.append(log: fields.requestField(name.bytes(in: text)))
        case .responseField(let name): out.append(log: fields.responseField(name.bytes(in: text)))
        case .environ(let name):
            guard let entry = fields.environEntry(name.bytes(in: text)) else {
                return out.append(UInt8(ascii: "-"))
            }
            out.append(log: entry.bytes, isUTF8: entry.isUTF8)
        }
    }

    private static func writeUser(_ fields: some AccessLogFields, to out: inout TextBuffer) {
        let start = out.count
        if let value = fields.authorization { out.append(logUserOf: value) }
        if out.count == start { out.append(UInt8(ascii: "-")) }
    }

    /// The bytes of a literal, which live as long as the program.
    static func bytes(_ text: StaticString) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}

extension AccessLogName {
    func bytes(in text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: text[offset..<offset + count])
    }
}
