/// What became of one exchange: a request, served or refused, and its response.
///
/// The access log, the metrics and the list of slow requests are made from these and nothing else. A record copies
/// nothing of what the client sent: ``line`` is ranges over the head, which stays where it is until the next request is
/// read. Fields of the request and the response (`{name}i`, `{name}o`, referer, user agent, user) are looked up there
/// by those who want them, as long as it does; variables of the environ (`{name}e`) are the application's, and are
/// taken while it runs.
///
/// Times are monotonic, in nanoseconds; 0 stands for what did not happen.
public struct ExchangeRecord: Equatable, Sendable {
    /// How it ended.
    public enum Ending: Equatable, Sendable {
        /// It is under way.
        case underWay
        /// The application's response was handed over whole.
        case answered
        /// The server answered with an error page of this identifier.
        case refused(id: String)
        /// The client left, or took nothing for too long.
        case clientLeft
        /// The application, or a file, had fewer bytes than the head promised.
        case tooShort(missing: Int)
        /// The application failed when the head had left, or behind its response.
        case failed
    }

    /// The peer, or whom a PROXY header announced.
    public enum Client: Equatable, Sendable {
        case unknown
        /// An address of a Unix socket says nothing.
        case unix
        case ipv4(UInt32, port: UInt16)
        case ipv6(UInt128, port: UInt16)
    }

    // MARK: Who and what

    public var client = Client.unknown
    public var line = RequestLine.none
    /// Nil where the head was not parsed: whoever wants a field looks for it.
    public var noted: NotedFields?

    // MARK: When

    /// Wall-clock seconds since 1970 when it was told of: for the date in a log, and nothing else.
    public var wallSeconds: Int64 = 0
    /// Its first bytes were read, or a refused connection was accepted.
    public var began: UInt64 = 0
    /// All of the head was there.
    public var headComplete: UInt64 = 0
    /// A runner called the application.
    public var applicationBegan: UInt64 = 0
    /// The application had returned, its response was iterated and closed.
    public var applicationReturned: UInt64 = 0
    /// The last of the response was handed to the kernel, or given up.
    public var handedOver: UInt64 = 0

    // MARK: How much

    /// Bytes of the request, head and body, framing included.
    public var receivedCount = 0
    /// The response's status; 0 where none was sent.
    public var status = 0
    /// Bytes of the response's body that were handed to the kernel, without framing (`B`, `b`). Where the client left
    /// in the middle of a chunked one, the framing that was not sent counts as body that was not.
    public var bodyCount = 0
    /// Bytes of all that was sent, heads and framing included.
    public var sentCount = 0
    /// Where the application's own fields begin in the response's head; the server's stand before them.
    public var fieldsOffset = 0
    /// The response's Content-Length is the application's, and not one that the server found out.
    public var hasGivenLength = false

    // MARK: What became of it

    public var ending = Ending.underWay

    public init() {}

    /// Takes from a response what it knows: status, counts, and how it ended. Before ``ResponseWriter/end()``.
    @inline(__always)
    public mutating func note(_ response: borrowing ResponseWriter) {
        status = response.status
        bodyCount = max(0, response.bodyCount - response.lostCount)
        sentCount = response.handedCount - response.lostCount
        fieldsOffset = response.fieldsOffset
        hasGivenLength = response.hasGivenLength
        ending =
            switch response.state {
            case .idle, .waiting, .started, .committed, .sending: .underWay
            case .complete: .answered
            case .short(let missing): .tooShort(missing: missing)
            case .refused: .refused(id: response.refusal?.id ?? "")
            case .cut: .failed
            case .lost: .clientLeft
            }
    }

    /// A request that was refused before there was a response of any application.
    public mutating func note(_ refusal: Refusal, sentCount: Int) {
        status = refusal.status
        self.sentCount = sentCount
        ending = .refused(id: refusal.id)
    }

    /// Bytes that waited for the client are given up.
    public mutating func lose(unsent: Int) {
        guard unsent > 0 else { return }
        sentCount -= unsent
        bodyCount = max(0, bodyCount - unsent)
        ending = .clientLeft
    }

    // MARK: How long

    /// Nanoseconds from the request's first bytes to the end of the response (`T`, `D`, `M`, `L`).
    public var duration: UInt64 { Self.between(began, handedOver) }

    /// Nanoseconds that a complete request waited for its body and a runner.
    public var waited: UInt64 { Self.between(headComplete, applicationBegan) }

    /// Nanoseconds that the application took, waits for its client included.
    public var applicationDuration: UInt64 { Self.between(applicationBegan, applicationReturned) }

    /// 0 where one of them did not happen.
    private static func between(_ start: UInt64, _ end: UInt64) -> UInt64 {
        start > 0 && end > start ? end - start : 0
    }
}
