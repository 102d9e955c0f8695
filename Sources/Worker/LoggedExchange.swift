internal import HTTPServer
internal import HTTPWire
internal import Telemetry
internal import WSGI

/// An exchange as the access log asks about it: what its record says, and what stands in the heads of its request and
/// its response.
struct LoggedExchange: AccessLogFields {
    private let head: Bytes
    private let response: Bytes
    private let isServed: Bool
    private let responseFields: Int
    private let hasGivenLength: Bool
    private let excerpt: EnvironExcerpt?

    let remoteAddress: Bytes?
    let method: Bytes?
    let target: Bytes?
    let version: Bytes?
    let path: Bytes?
    let query: Bytes?
    let status: Int
    let bytesSent: Int?
    let duration: UInt64
    let time: Int64
    let timeZone: Int
    let process: Int

    /// - Parameters:
    ///   - path: decoded, below the mount point; nil where it is not known.
    ///   - excerpt: what the environ said, where the format asks for it.
    init(
        _ record: borrowing ExchangeRecord, head: Bytes, response: Bytes, client: Bytes?, path: Bytes?, timeZone: Int,
        process: Int, excerpt: EnvironExcerpt?
    ) {
        func bytes(_ range: ByteRange) -> Bytes { Bytes(rebasing: head[range.offsets]) }
        self.head = head
        self.response = response
        self.excerpt = excerpt
        isServed = record.line.version != nil
        responseFields = record.fieldsOffset
        hasGivenLength = record.hasGivenLength
        remoteAddress = client
        method = record.line.method.isEmpty ? nil : bytes(record.line.method)
        target = record.line.target.isEmpty ? nil : bytes(record.line.target)
        self.path = path
        switch record.line.version {
        case .http11?: version = Self.bytes("HTTP/1.1")
        case .http10?: version = Self.bytes("HTTP/1.0")
        case nil:
            // Whatever stands there, if anything does.
            let end = record.line.target.end
            version = end < record.line.whole.end ? bytes(ByteRange(start: end + 1, end: record.line.whole.end)) : nil
        }
        query = record.line.version == nil ? nil : bytes(record.line.query)
        status = record.status
        bytesSent = record.status > 0 ? record.bodyCount : nil
        duration = record.duration
        time = record.wallSeconds
        self.timeZone = timeZone
        self.process = process
    }

    private static func bytes(_ text: StaticString) -> Bytes {
        Bytes(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    func requestField(_ name: Bytes) -> Bytes? { Self.field(name, in: head) }

    func responseField(_ name: Bytes) -> Bytes? {
        guard responseFields > 0, responseFields <= response.count else { return nil }
        if hasGivenLength, name.elementsEqual(Self.bytes("content-length")) { return Self.field(name, in: response) }
        // The end of the line before is where the search begins.
        return Self.field(name, in: Bytes(rebasing: response[(responseFields - 1)...]))
    }

    func environEntry(_ name: Bytes) -> AccessLogText? {
        excerpt?.value(of: name).map { AccessLogText($0, isUTF8: true) }
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
