/// Which of the operator's orders count that a worker passes on because it runs as another user than the master.
///
/// The master cannot tell them from orders that the worker makes up, and a worker that was broken into must not have a
/// master that is root fork for ever. What it may order is bounded, then, and none of it is more than a stop of the
/// server, which it may order too. Whoever may send signals to the master is not bound by this.
public struct OrderPolicy: Equatable, Sendable {
    public enum Order: Equatable, Sendable {
        /// A worker more.
        case add
        /// A worker less.
        case remove
        /// A reload, an upgrade, other files for the logs.
        case renew
        /// The end of the server.
        case stop
    }

    public enum Verdict: Equatable, Sendable {
        case granted
        /// There are as many workers as orders may ask for: the number.
        case refusedForNumber(Int)
        /// There were too many orders of late.
        case refusedForRate
    }

    /// Renewals at once. There may be one more after `renewalInterval`.
    public static let renewals = 3
    /// Nanoseconds.
    public static let renewalInterval: UInt64 = 10_000_000_000
    /// Changes of the number of workers at once. There may be one more after `changeInterval`.
    public static let changes = 64
    /// Nanoseconds.
    public static let changeInterval: UInt64 = 1_000_000_000

    private var renewal = Allowance(most: renewals, interval: renewalInterval)
    private var change = Allowance(most: changes, interval: changeInterval)

    public init() {}

    /// - Parameters:
    ///   - wanted: how many workers there shall be now.
    ///   - most: how many there may be by orders.
    ///   - now: nanoseconds of the monotonic clock.
    public mutating func judge(_ order: Order, wanted: Int, most: Int, at now: UInt64) -> Verdict {
        switch order {
        case .stop: .granted
        case .add where wanted >= most: .refusedForNumber(most)
        case .add, .remove: change.spend(at: now) ? .granted : .refusedForRate
        case .renew: renewal.spend(at: now) ? .granted : .refusedForRate
        }
    }
}

/// How often something may happen: a few times at once, and more with time.
struct Allowance: Equatable, Sendable {
    private let most: Int
    private let interval: UInt64
    private var left: Int
    /// Up to when what has come back was counted, while some is missing.
    private var counted: UInt64 = 0

    /// - Parameter interval: nanoseconds after which there may be one more.
    init(most: Int, interval: UInt64) {
        self.most = most
        self.interval = interval
        left = most
    }

    /// - Returns: whether it may happen now.
    mutating func spend(at now: UInt64) -> Bool {
        if left == most { counted = now }
        let passed = now > counted ? (now - counted) / interval : 0
        counted += passed * interval
        left = min(most, left + Int(clamping: passed))
        if left == most { counted = now }
        guard left > 0 else { return false }
        left -= 1
        return true
    }
}
