public import HTTPWire

/// Where the pieces of a request line stand in the bytes of its head. RFC 9112 §3.
///
/// Ranges, and no copies: they mean something together with those bytes alone.
public struct RequestLine: Equatable, Sendable {
    /// The line without its end, and without an empty line before it.
    public let whole: ByteRange
    public let method: ByteRange
    public let knownMethod: Method
    /// The request target as sent.
    public let target: ByteRange
    /// The target's path, percent-encoded; empty where there is none, or the line could not be parsed.
    public let path: ByteRange
    /// What follows `?` in the target; empty as above.
    public let query: ByteRange
    /// The version by whose rules the request is served; nil where the line could not be parsed.
    public let version: HTTPVersion?

    /// Nothing has come. Made anew each time: threads would wait for one that is made on first use.
    public static var none: RequestLine { RequestLine() }

    /// Bytes of a line that could not be parsed that are looked at.
    private static let scanLimit = 8192
    /// ` HTTP/1.1`
    private static let versionLength: UInt32 = 9

    private init() {
        whole = .empty
        method = .empty
        knownMethod = .other
        target = .empty
        path = .empty
        query = .empty
        version = nil
    }

    /// The line of a head that was parsed.
    public init(_ head: borrowing RequestHead) {
        method = head.method
        knownMethod = head.knownMethod
        target = head.target
        path = head.path
        query = head.query
        version = head.version
        whole = ByteRange(start: method.start, count: target.end &- method.start &+ Self.versionLength)
    }

    /// What can be told of a line that was refused, or has not come to its end.
    ///
    /// - Parameter head: bytes that begin with the line; there may be none.
    public init(scanning head: RawSpan) {
        var start = 0
        if head.byteCount >= 2, head[0] == .carriageReturn, head[1] == .lineFeed { start = 2 }
        let limit = min(head.byteCount, start + Self.scanLimit)
        var end = Scanning.first(.lineFeed, in: head, from: start, to: limit)
        if end > start, head[end - 1] == .carriageReturn { end -= 1 }
        let methodEnd = Scanning.first(.space, in: head, from: start, to: end)
        let targetStart = min(methodEnd + 1, end)
        whole = ByteRange(start, end)
        method = ByteRange(start, methodEnd)
        target = ByteRange(targetStart, Scanning.first(.space, in: head, from: targetStart, to: end))
        knownMethod = .other
        path = .empty
        query = .empty
        version = nil
    }
}
