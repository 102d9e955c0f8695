/// Which workers have given no sign of life for too long: stopped by a signal, or without the thread that gives them.
///
/// Where the master did not look for a while, everybody has a new start: the machine, or the container, stood still,
/// and the workers did too.
public struct SilencePolicy: Sendable {
    /// Between two looks, in nanoseconds.
    public static let interval: UInt64 = 1_000_000_000

    /// Whatever the timeout is, a shorter silence says nothing.
    public static let leastSilence: UInt64 = 3 * interval

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
        let passed = last.map { now > $0 ? now - $0 : 0 } ?? 0
        last = now
        let stoodStill = passed > 2 * Self.interval
        var overdue: [Int32] = []
        for sign in signs {
            var seen = patience[sign.pid] ?? Patience(heartbeat: sign.heartbeat)
            if seen.heartbeat == sign.heartbeat, !stoodStill {
                seen.silence += passed
            } else {
                seen = Patience(heartbeat: sign.heartbeat)
            }
            patience[sign.pid] = seen
            // Two intervals may pass between a sign and the look that finds the next one, and a busy machine takes its
            // time.
            if seen.silence > max(sign.timeout, Self.leastSilence) { overdue.append(sign.pid) }
        }
        return overdue
    }

    /// The worker is gone.
    public mutating func forget(_ pid: Int32) { patience.removeValue(forKey: pid) }
}
