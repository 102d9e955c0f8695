/// What an access log line can tell of an exchange. Bytes are borrowed for the length of a call.
///
/// Text is what the client or the application sent, byte by byte, as PEP 3333 has it (ISO 8859-1). Nil is what there is
/// not, as in a request that was refused before its head was complete.
public protocol AccessLogFields {
    typealias Bytes = UnsafeRawBufferPointer

    /// `REMOTE_ADDR`, as the server has set it.
    var remoteAddress: Bytes? { get }
    /// What the application has made of that, from a field of a proxy (werkzeug's `ProxyFix`); nil where it left it.
    var changedAddress: AccessLogText? { get }
    var method: Bytes? { get }
    /// The request target as it was sent (`RAW_URI`).
    var target: Bytes? { get }
    /// As in `SERVER_PROTOCOL`.
    var version: Bytes? { get }
    /// Decoded (`PATH_INFO`).
    var path: Bytes? { get }
    var query: Bytes? { get }
    /// The status; 0 when none was sent.
    var status: Int { get }
    /// Bytes of the response's body; nil when there was no response.
    var bytesSent: Int? { get }
    /// Nanoseconds.
    var duration: UInt64 { get }
    /// Seconds since 1970 (UTC).
    var time: Int64 { get }
    /// The local time's distance from UTC in seconds, east is positive.
    var timeZone: Int { get }
    var process: Int { get }

    /// A request field's value: the last one of several.
    ///
    /// - Parameter name: in lower case.
    func requestField(_ name: Bytes) -> Bytes?
    /// A response field's value, of those that the application gave: the last one of several.
    func responseField(_ name: Bytes) -> Bytes?
    /// Fields that most formats ask for.
    var referer: Bytes? { get }
    var userAgent: Bytes? { get }
    var authorization: Bytes? { get }
    /// Method, target and version, with a space between them, where they lie in memory like that.
    var requestLine: Bytes? { get }
    /// ``time`` as the log writes it, where somebody has written it before.
    var logTime: Bytes? { get }
    /// What Python's `str` makes of an entry of the environ.
    ///
    /// - Parameter name: in lower case, as every atom's; the entry's own name is compared without regard to case.
    func environEntry(_ name: Bytes) -> AccessLogText?
}

extension AccessLogFields {
    public var changedAddress: AccessLogText? { nil }
    public var referer: Bytes? { requestField(AccessLogAtom.bytes("referer")) }
    public var userAgent: Bytes? { requestField(AccessLogAtom.bytes("user-agent")) }
    public var authorization: Bytes? { requestField(AccessLogAtom.bytes("authorization")) }
    public var requestLine: Bytes? { nil }
    public var logTime: Bytes? { nil }
}

/// Text in one of two encodings.
public struct AccessLogText {
    public let bytes: UnsafeRawBufferPointer
    /// Whether it is UTF-8, and not ISO 8859-1.
    public let isUTF8: Bool

    public init(_ bytes: UnsafeRawBufferPointer, isUTF8: Bool) {
        self.bytes = bytes
        self.isUTF8 = isUTF8
    }
}
