/// Which workers have given no sign of life for too long: stopped by a signal, or without the thread that gives them.
///
/// Time in which the master did not look counts for one interval at most: when the machine, or the container, stood
/// still, the workers did too.
public struct SilencePolicy: Sendable {
    /// Between two looks, in nanoseconds.
    public static let interval: UInt64 = 1_000_000_000

    /// What a look at a worker showed. Times are of the monotonic clock, in nanoseconds.
    public struct Sign: Equatable, Sendable {
        public var pid: Int32
        public var heartbeat: UInt64
        /// How long the worker may be silent.
        public var timeout: UInt64

        public init(pid: Int32, heartbeat: UInt64, timeout: UInt64) {
            self.pid = pid
            self.heartbeat = heartbeat
            self.timeout = timeout
        }
    }

    private struct Patience {
        var heartbeat: UInt64
        var silence: UInt64 = 0
    }

    private var patience: [Int32: Patience] = [:]
    private var last: UInt64?

    public init() {}

    /// - Returns: those whose time is up. They are named at every look until they are forgotten.
    public mutating func look(at now: UInt64, _ signs: [Sign]) -> [Int32] {
        let passed = last.map { now > $0 ? min(now - $0, 2 * Self.interval) : 0 } ?? 0
        last = now
        var overdue: [Int32] = []
        for sign in signs {
            var seen = patience[sign.pid] ?? Patience(heartbeat: sign.heartbeat)
            if seen.heartbeat == sign.heartbeat {
                seen.silence += passed
            } else {
                seen = Patience(heartbeat: sign.heartbeat)
            }
            patience[sign.pid] = seen
            // Two intervals are the usual distance between two signs and the look that finds them.
            if seen.silence > max(sign.timeout, 2 * Self.interval) { overdue.append(sign.pid) }
        }
        return overdue
    }

    /// The worker is gone.
    public mutating func forget(_ pid: Int32) { patience.removeValue(forKey: pid) }
}
