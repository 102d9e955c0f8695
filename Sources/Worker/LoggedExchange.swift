internal import HTTPServer
internal import HTTPWire
internal import Telemetry

/// An exchange as a line of the access log asks about it: what its note has.
struct LoggedExchange: AccessLogFields {
    private let note: AccessLogNote
    /// Of the request's head, or what is needed of it.
    private let head: Bytes
    /// What stands behind that.
    private let rest: Bytes

    let remoteAddress: Bytes?
    let path: Bytes?
    let logTime: Bytes?
    let timeZone: Int
    let process: Int

    /// - Parameters:
    ///   - bytes: the note in the page.
    ///   - path: decoded, below the mount point; nil where it is not known.
    init(
        _ note: AccessLogNote, _ bytes: Bytes, client: Bytes?, path: Bytes?, logTime: Bytes, timeZone: Int,
        process: Int
    ) {
        self.note = note
        let start = MemoryLayout<AccessLogNote>.size
        let end = start &+ Int(note.headCount)
        head = Bytes(rebasing: bytes[start..<end])
        rest = Bytes(rebasing: bytes[end...])
        remoteAddress = client
        self.path = path
        self.logTime = logTime
        self.timeZone = timeZone
        self.process = process
    }

    private static func bytes(_ text: StaticString) -> Bytes {
        Bytes(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    private func bytes(_ range: ByteRange) -> Bytes { Bytes(rebasing: head[range.offsets]) }

    /// The entry is there where the application changed it, or the format names it.
    var changedAddress: AccessLogText? { rest.isEmpty ? nil : environEntry(Self.bytes("remote_addr")) }

    var method: Bytes? { note.method.isEmpty ? nil : bytes(note.method) }
    var target: Bytes? { note.target.isEmpty ? nil : bytes(note.target) }
    var query: Bytes? { note.version == nil ? nil : bytes(note.query) }
    var status: Int { Int(note.status) }
    var bytesSent: Int? { note.status > 0 ? note.bodyCount : nil }
    var duration: UInt64 { note.duration }
    var time: Int64 { note.time }

    var version: Bytes? {
        switch note.version {
        case .http11?: return Self.bytes("HTTP/1.1")
        case .http10?: return Self.bytes("HTTP/1.0")
        case nil:
            // Whatever stands there, if anything does.
            let end = note.target.end
            return end < note.line.end ? bytes(ByteRange(start: end + 1, end: note.line.end)) : nil
        }
    }

    var requestLine: Bytes? {
        // The line as it came, unless it says another version than that by which it is served.
        guard let version, note.version != nil, note.line.count > 8 else { return nil }
        let line = bytes(note.line)
        let word = line.loadUnaligned(fromByteOffset: line.count - 8, as: UInt64.self)
        return word == version.loadUnaligned(as: UInt64.self) ? line : nil
    }

    var referer: Bytes? {
        note.isParsed ? value(note.referer) : requestField(Self.bytes("referer"))
    }

    var userAgent: Bytes? {
        note.isParsed ? value(note.userAgent) : requestField(Self.bytes("user-agent"))
    }

    var authorization: Bytes? {
        note.isParsed ? value(note.authorization) : requestField(Self.bytes("authorization"))
    }

    private func value(_ range: ByteRange) -> Bytes? { range.start > 0 ? bytes(range) : nil }

    func requestField(_ name: Bytes) -> Bytes? { note.hasWholeHead ? Self.field(name, in: head) : nil }

    func responseField(_ name: Bytes) -> Bytes? {
        let response = Bytes(rebasing: rest[..<Int(note.responseCount)])
        let own = Int(note.fieldsOffset)
        guard own > 0, own <= response.count else { return nil }
        if note.hasGivenLength, name.elementsEqual(Self.bytes("content-length")) {
            return Self.field(name, in: response)
        }
        // The end of the line before is where the search begins.
        return Self.field(name, in: Bytes(rebasing: response[(own - 1)...]))
    }

    func environEntry(_ name: Bytes) -> AccessLogText? {
        var entries = Bytes(rebasing: rest[Int(note.responseCount)...])
        while !entries.isEmpty {
            let isFound = AccessLogEntry.take(from: &entries)?.elementsEqual(name) == true
            let value = AccessLogEntry.take(from: &entries)
            if isFound { return value.map { AccessLogText($0, isUTF8: true) } }
        }
        return nil
    }

    /// The value of the last field of a name, in a head whose first line is passed over.
    ///
    /// - Parameter name: in lower case.
    private static func field(_ name: Bytes, in head: Bytes) -> Bytes? {
        let bytes = head.bytes
        let end = head.count
        var found: Bytes?
        var line = Scanning.first(.lineFeed, in: bytes, from: 0, to: end) + 1
        while line < end {
            let next = Scanning.first(.lineFeed, in: bytes, from: line, to: end) + 1
            // The empty line: what follows is the body.
            if next - line <= 2 { break }
            if next - line > name.count, head[line + name.count] == UInt8(ascii: ":"), isName(name, head, at: line) {
                found = trimmed(Bytes(rebasing: head[(line + name.count + 1)..<min(next, end)]))
            }
            line = next
        }
        return found
    }

    @inline(__always)
    private static func isName(_ name: Bytes, _ head: Bytes, at line: Int) -> Bool {
        for index in 0..<name.count {
            let byte = head[line + index]
            let lower = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
            if lower != name[index] { return false }
        }
        return true
    }

    /// Without white space and the line's end around it.
    private static func trimmed(_ value: Bytes) -> Bytes {
        var (start, end) = (0, value.count)
        while start < end, value[start] == 0x20 || value[start] == 0x09 { start += 1 }
        while end > start, [0x20, 0x09, 0x0A, 0x0D].contains(value[end - 1]) { end -= 1 }
        return Bytes(rebasing: value[start..<end])
    }
}

extension ByteRange {
    fileprivate init(start: UInt32, end: UInt32) { self.init(start: start, count: end - start) }
}

extension UInt8 {
    fileprivate static var lineFeed: UInt8 { 0x0A }
}
