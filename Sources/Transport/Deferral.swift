internal import Platform

/// Which responses leave together. It takes the clock and knows no socket.
///
/// A client that waits, or the proxy in front of us, is woken by every response that reaches it while it has nothing
/// else to do, and the sender pays for that: with an application that takes a tenth of a millisecond, a tenth of all
/// time. So where more requests are at hand, small complete responses wait for each other: a few at most, for a moment
/// at most.
struct Deferral<Response> {
    /// The most responses that wait for each other.
    static var most: Int { 16 }
    /// Nanoseconds that the first of them waits, if the requests behind it are no longer than it was.
    static var longest: Nanoseconds { .milliseconds(1) }
    /// Applications that are faster than this keep a client busy by themselves.
    static var worthwhile: Nanoseconds { .microseconds(30) }

    private(set) var waiting: [Response] = []
    /// Since when the first of them waits.
    private var since: Nanoseconds = 0
    /// How long the last request took, from when a runner got it to its response.
    private(set) var lastDuration: Nanoseconds = 0

    /// A request is done that took so long.
    @inline(__always)
    mutating func noteDuration(_ duration: Nanoseconds) { lastDuration = duration }

    /// Whether the response of the request that begins now may wait.
    ///
    /// - Parameter hasMore: other requests are at hand.
    @inline(__always)
    func isWorthwhile(hasMore: Bool) -> Bool {
        lastDuration > Self.worthwhile && lastDuration < Self.longest && hasMore
    }

    /// - Returns: whether enough of them wait to be sent now.
    mutating func add(_ response: Response, now: Nanoseconds) -> Bool {
        if waiting.isEmpty { since = now }
        waiting.append(response)
        return waiting.count >= Self.most
    }

    /// Whether the first has waited for long enough. To be asked after each request: those behind it may be longer than
    /// it was.
    @inline(__always)
    func isOverdue(now: Nanoseconds) -> Bool { !waiting.isEmpty && now &- since >= Self.longest }

    mutating func takeAll() -> [Response] {
        defer { waiting.removeAll() }
        return waiting
    }
}
