internal import Platform
public import Scheduling

/// Responses that leave together.
///
/// A client that waits, or the proxy in front of us, is woken by every response that reaches it while it has nothing else to
/// do, and the sender pays for that: with an application that takes a tenth of a millisecond, a tenth of all time. So where
/// more requests are at hand, small complete responses wait for each other: a few at most, for a moment at most.
extension Reactor {
    /// Responses that wait for each other.
    private static let most = 16
    /// Nanoseconds that the first of them waits, if the requests behind it are no longer than it was.
    private static let longest = Nanoseconds.milliseconds(1)
    /// Applications that are faster than this keep a client busy by themselves.
    private static let worthwhile = Nanoseconds.microseconds(30)

    /// Whether a small response of the request that begins now may wait in its outbox (`Connection.isDeferred`).
    @inline(__always)
    public func defersResponses(_ baton: borrowing Baton) -> Bool {
        guard lastTurn > Self.worthwhile else { return false }
        return lastTurn < Self.longest && (eventCursor < eventCount || !held.isEmpty || !queue.isEmpty)
    }

    func addDeferred(_ connection: Connection) {
        if deferred.isEmpty { deferredSince = now }
        deferred.append(connection)
        if deferred.count >= Self.most { sendDeferred() }
    }

    /// Sends them if the first has waited for long enough. After each request: those behind it may be longer than it was.
    @inline(__always)
    func sendOverdue() {
        if !deferred.isEmpty, now &- deferredSince >= Self.longest { sendDeferred() }
    }

    /// Sends them all.
    func sendDeferred() {
        guard !deferred.isEmpty else { return }
        // One that left meanwhile, because its socket said so, is not in `.draining` any more, or drains another response.
        for connection in deferred { drain(connection) }
        deferred.removeAll(keepingCapacity: true)
    }
}
