/// What a connection of HTTP/1 remembers from one exchange to the next, and the rules about it. RFC 9112 §9.3.
///
/// ```
///   begin ──► [takeContinue | bodyCame] ──► [cancelContinue] ──► next begin, or the end
/// ```
public struct HTTP1Session: Equatable, Sendable {
    /// Whether the configuration lets connections stay open (`keepalive` above 0).
    public let keepsAlive: Bool
    /// Requests begun, the one under way included.
    public private(set) var requestCount = 0
    /// The head of the last request begun said that no other follows it: Connection, or HTTP/1.0 without `keep-alive`.
    public private(set) var clientSaidClose = false
    /// The connection's place is needed by others: no request follows the one under way.
    public private(set) var mustLeave = false
    /// The client waits for `100 Continue` before it sends the body. RFC 9110 §10.1.1.
    public private(set) var owesContinue = false

    /// `100 Continue` was sent for the request whose head is parsed next: by another worker, which had it before.
    private var hasSentContinue = false

    public init(keepsAlive: Bool) {
        self.keepsAlive = keepsAlive
    }

    /// A connection that another worker had.
    ///
    /// - Parameters:
    ///   - requestCount: requests begun, without one whose head will be parsed again.
    ///   - hasSentContinue: it was sent for that one.
    public init(keepsAlive: Bool, requestCount: Int, hasSentContinue: Bool) {
        self.keepsAlive = keepsAlive
        self.requestCount = requestCount
        self.hasSentContinue = hasSentContinue
    }

    /// A head has come.
    ///
    /// - Parameters:
    ///   - isPersistent: `RequestHead.isPersistent`.
    ///   - expectsContinue: `RequestHead.expectsContinue`.
    ///   - hasBegunBody: bytes of the body came with the head, so that the client does not wait.
    public mutating func begin(isPersistent: Bool, expectsContinue: Bool, hasBegunBody: Bool) {
        requestCount &+= 1
        clientSaidClose = !isPersistent
        owesContinue = expectsContinue && !hasBegunBody && !hasSentContinue
        hasSentContinue = false
    }

    /// Whether client and configuration let the connection stay open after the response: for
    /// ``RequestTraits/mayPersist``.
    public var mayPersist: Bool { keepsAlive && !clientSaidClose && !mustLeave }

    /// The request under way is the last one.
    public mutating func leave() { mustLeave = true }

    /// Whether the connection serves another request.
    ///
    /// - Parameters:
    ///   - responseLeavesOpen: ``ResponseWriter/leavesConnectionOpen``.
    ///   - bodyIsSound: false when the request's body failed, so that nobody knows where the next request begins.
    public func persists(responseLeavesOpen: Bool, bodyIsSound: Bool = true) -> Bool {
        mayPersist && responseLeavesOpen && bodyIsSound
    }

    /// The body is asked for. Whether `100 Continue` must be sent first; true once a request.
    public mutating func takeContinue() -> Bool {
        defer { owesContinue = false }
        return owesContinue
    }

    /// Bytes of the body came though nobody asked for them: the client waits no more.
    public mutating func bodyCame() { owesContinue = false }

    /// The response begins: an interim one must not follow. Whether the client was left waiting, so that nobody knows
    /// whether the body will come, and the connection must close. RFC 9110 §10.1.1.
    public mutating func cancelContinue() -> Bool { takeContinue() }
}
