public import Platform

/// Keeps the last free runner for short requests, while there are any.
///
/// Once every runner is in a long request, a short one waits for the first of them to end: a fiftieth of the requests
/// can so make all the others slow. Requests whose kind is known to be long (`PromotionPolicy`) therefore do not take
/// the last runner while short ones come in: they are postponed until another runner is free, or no short one has come
/// for a moment.
///
/// That is worth its while as long as other runners come free now and then, as they do where they are in requests of
/// the same kind. When none has for twice the time that a postponed request takes, they are in something longer, and
/// what is postponed has the last runner, one after the other, until another comes free. So it is the queue that waits
/// for so long, not each request in it; and where nothing has come free for long, nobody waits at all. Whatever
/// happens, no request is postponed for longer than a second.
///
/// Where there are few runners one is too large a share, and it is given to the first request that comes.
///
/// It is told what happens and asked what to do; being asked changes nothing. Only the thread that has the baton
/// does either. Times are of the monotonic clock.
public struct LastRunnerPolicy: Sendable {
    /// Fewer runners than this keep none.
    private static let fewest = 4
    /// For how long a short request is a sign that others follow, which other runners may serve.
    private static let memory = Nanoseconds.milliseconds(100)
    /// How long the last runner waits for a short request before it begins a long one.
    public static let patience = Nanoseconds.milliseconds(1)
    /// How long a request is postponed at most, whatever else comes in.
    public static let longest = Nanoseconds.seconds(1)

    private let isActive: Bool
    private var lastShort: Nanoseconds?
    /// Since when the last runner has had nothing short to do.
    private var quietSince: Nanoseconds = 0
    /// When a runner last was free beside the one that had the baton.
    private var lastFree: Nanoseconds = 0
    /// Who took the baton last.
    private var driver: Int?

    public init(runners: Int) {
        isActive = runners >= Self.fewest
    }

    // MARK: Events

    /// A request returned within a tick.
    @inline(__always)
    public mutating func servedShort(at now: Nanoseconds) {
        lastShort = now
        quietSince = now
    }

    /// A runner that was free has the baton now.
    ///
    /// Where it is the one that had it before, it may have been the last one, which comes back from a long request:
    /// that is no sign that others come free.
    ///
    /// - Parameter runner: its number.
    public mutating func tookOver(by runner: Int, at now: Nanoseconds) {
        quietSince = now
        if runner != driver { lastFree = now }
        driver = runner
    }

    // MARK: Questions

    /// Whether a long request that would take the last runner has to wait.
    public func postpones(at now: Nanoseconds) -> Bool {
        guard isActive, let lastShort else { return false }
        return Self.elapsed(from: lastShort, to: now) < Self.memory
    }

    /// Whether a request that was postponed may take the last runner.
    ///
    /// - Parameters:
    ///   - since: when the request was postponed that has waited for longest.
    ///   - usual: nanoseconds that it is likely to take.
    ///   - othersWait: requests are at hand that were not postponed. Short ones may be among them, so that a moment
    ///     without any is over.
    public func yields(at now: Nanoseconds, since: Nanoseconds, usual: Nanoseconds, othersWait: Bool) -> Bool {
        if Self.elapsed(from: since, to: now) >= Self.longest { return true }
        if Self.elapsed(from: lastFree, to: now) >= 2 * min(usual, Self.longest) { return true }
        if othersWait { return false }
        return Self.elapsed(from: quietSince, to: now) >= Self.patience || !postpones(at: now)
    }

    /// `now` may be a little earlier than a time that another thread told.
    private static func elapsed(from earlier: Nanoseconds, to now: Nanoseconds) -> Nanoseconds {
        now > earlier ? now - earlier : 0
    }
}
