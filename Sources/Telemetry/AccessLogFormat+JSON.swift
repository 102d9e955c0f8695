/// `--access-log-json`: a line is an object, with the fields that the format names.
///
/// Names do not depend on the format: `%(h)s` is `remote_address` wherever it stands. What there is not is `null`; an
/// atom that is named twice stands once. `%(l)s` and atoms that nobody knows, which say nothing, are left out.
extension AccessLogFormat {
    /// Writes an object and a line's end.
    public func writeJSON(_ fields: some AccessLogFields, to out: inout TextBuffer) {
        out.append(UInt8(ascii: "{"))
        var isFirst = true
        text.withUnsafeBytes { text in
            for index in pieces.indices {
                guard let atom = pieces[index].atom, atom.isInJSON, isFirstNamed(index, atom) else {
                    continue
                }
                if !isFirst { out.append(", ") }
                isFirst = false
                atom.writeName(text, to: &out)
                out.append(": ")
                atom.writeJSON(fields, text, to: &out)
            }
        }
        out.append("}\n")
    }

    private func isFirstNamed(_ index: Int, _ atom: AccessLogAtom) -> Bool {
        for piece in pieces[..<index] {
            if let other = piece.atom, other.isSameField(as: atom) { return false }
        }
        return true
    }
}

extension AccessLogAtom {
    fileprivate var isInJSON: Bool {
        switch self {
        case .identity, .unknown: false
        default: true
        }
    }

    fileprivate func isSameField(as other: AccessLogAtom) -> Bool {
        switch (self, other) {
        case (.bytes, .bytesText), (.bytesText, .bytes): true
        default: self == other
        }
    }

    fileprivate func writeName(_ text: UnsafeRawBufferPointer, to out: inout TextBuffer) {
        switch self {
        case .remoteAddress: out.append(#""remote_address""#)
        case .identity, .unknown: out.append(#""unknown""#)
        case .user: out.append(#""user""#)
        case .time: out.append(#""time""#)
        case .request: out.append(#""request""#)
        case .status: out.append(#""status""#)
        case .method: out.append(#""method""#)
        case .path: out.append(#""path""#)
        case .query: out.append(#""query""#)
        case .version: out.append(#""protocol""#)
        case .bytesText, .bytes: out.append(#""bytes_sent""#)
        case .referer: out.append(#""referer""#)
        case .userAgent: out.append(#""user_agent""#)
        case .seconds: out.append(#""duration_s""#)
        case .milliseconds: out.append(#""duration_ms""#)
        case .microseconds: out.append(#""duration_us""#)
        case .decimalSeconds: out.append(#""duration""#)
        case .process: out.append(#""pid""#)
        case .requestField(let name): Self.writeName("request_headers.", name.bytes(in: text), to: &out)
        case .responseField(let name): Self.writeName("response_headers.", name.bytes(in: text), to: &out)
        case .environ(let name): Self.writeName("environ.", name.bytes(in: text), to: &out)
        }
    }

    private static func writeName(_ prefix: StaticString, _ name: UnsafeRawBufferPointer, to out: inout TextBuffer) {
        out.append(UInt8(ascii: "\""))
        out.append(prefix)
        out.append(jsonText: name, isUTF8: true)
        out.append(UInt8(ascii: "\""))
    }

    fileprivate func writeJSON(
        _ fields: some AccessLogFields, _ text: UnsafeRawBufferPointer, to out: inout TextBuffer
    ) {
        switch self {
        case .remoteAddress:
            if let changed = fields.changedAddress { return out.append(json: changed) }
            out.append(json: fields.remoteAddress)
        case .identity, .unknown: out.append("null")
        case .user:
            let start = out.count
            if let value = fields.authorization { out.append(logUserOf: value) }
            if out.count == start {
                out.append("null")
            } else {
                // It is escaped for a log line already: `\"` and `\\` are JSON's too, `\xhh` is not.
                out.insert(UInt8(ascii: "\""), 1, at: start)
                out.makeJSON(from: start + 1)
                out.append(UInt8(ascii: "\""))
            }
        case .time:
            out.append(UInt8(ascii: "\""))
            out.append(timestamp: fields.time, zone: fields.timeZone)
            out.append(UInt8(ascii: "\""))
        case .request:
            guard fields.method != nil || fields.target != nil else { return out.append("null") }
            out.append(UInt8(ascii: "\""))
            out.append(jsonText: fields.method ?? Self.bytes("-"))
            out.append(UInt8(ascii: " "))
            out.append(jsonText: fields.target ?? Self.bytes("-"))
            out.append(UInt8(ascii: " "))
            out.append(jsonText: fields.version ?? Self.bytes("-"))
            out.append(UInt8(ascii: "\""))
        case .status: if fields.status > 0 { out.append(fields.status) } else { out.append("null") }
        case .method: out.append(json: fields.method)
        case .path: out.append(json: fields.path)
        case .query: out.append(json: fields.query)
        case .version: out.append(json: fields.version)
        case .bytesText, .bytes: if let count = fields.bytesSent { out.append(count) } else { out.append("null") }
        case .referer: out.append(json: fields.referer)
        case .userAgent: out.append(json: fields.userAgent)
        case .seconds, .milliseconds, .microseconds: out.append(number(fields))
        case .decimalSeconds: write(fields, text, to: &out)
        case .process: out.append(fields.process)
        case .requestField(let name): out.append(json: fields.requestField(name.bytes(in: text)))
        case .responseField(let name): out.append(json: fields.responseField(name.bytes(in: text)))
        case .environ(let name):
            guard let entry = fields.environEntry(name.bytes(in: text)) else { return out.append("null") }
            out.append(json: entry)
        }
    }
}

extension TextBuffer {
    fileprivate mutating func append(json text: AccessLogText) {
        append(UInt8(ascii: "\""))
        append(jsonText: text.bytes, isUTF8: text.isUTF8)
        append(UInt8(ascii: "\""))
    }

    /// A JSON string, or `null`.
    public mutating func append(json bytes: UnsafeRawBufferPointer?) {
        guard let bytes else { return append("null") }
        append(UInt8(ascii: "\""))
        append(jsonText: bytes)
        append(UInt8(ascii: "\""))
    }

    /// Text between JSON's quotes (RFC 8259 §7): UTF-8 where it is that, ISO 8859-1 else. Control characters are
    /// escaped, those that JSON would allow included.
    public mutating func append(jsonText bytes: UnsafeRawBufferPointer, isUTF8: Bool? = nil) {
        let isUTF8 = isUTF8 ?? UTF8Text.isValid(bytes)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index &+= 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0x20..<0x7F: append(byte)
            case ..<0x80: append(unicode: byte)
            case 0xC2 where isUTF8 && index < bytes.count && bytes[index] < 0xA0:
                append(unicode: bytes[index])
                index &+= 1
            case _ where isUTF8: append(byte)
            case ..<0xA0: append(unicode: byte)
            default: append(latin: byte)
            }
        }
    }

    private mutating func append(unicode byte: UInt8) {
        append("\\u00")
        append(hex: byte)
    }

    /// Turns `\xhh` behind `start` into `\u00hh`.
    mutating func makeJSON(from start: Int) {
        var index = start
        while index < count {
            if bytes[index] == UInt8(ascii: "\\") {
                if bytes[index + 1] == UInt8(ascii: "x") {
                    insert(UInt8(ascii: "0"), 2, at: index + 2)
                    replace(UInt8(ascii: "u"), at: index + 1)
                }
                index += 1
            }
            index += 1
        }
    }
}
