/// When the master tells the service manager that the service is alive (`WATCHDOG=1`).
///
/// A master whose loop turns proves little: it would go on turning while every worker hangs. So the message is sent
/// only while a worker has shown life lately, and the manager restarts a service that the master cannot mend. One
/// worker that hangs among others is the master's own business.
///
/// All times are nanoseconds of the monotonic clock.
public struct ServiceWatchdogPolicy: Equatable, Sendable {
    public enum Verdict: Equatable, Sendable {
        /// Send it now.
        case send
        /// It is not time yet.
        case notDue
        /// It is time, and no worker has made progress: send nothing. Asked again at the next deadline.
        case withhold
    }

    /// Nanoseconds between two messages: half of what the manager waits, as `sd_watchdog_enabled(3)` advises.
    public let interval: UInt64
    /// For how long all workers may be silent. Longer than the master itself needs to replace one that hangs, so that
    /// the manager steps in only where that did not help.
    public let allowedSilence: UInt64?
    /// When to ask next.
    public private(set) var deadline: UInt64
    private var lastProgress: UInt64

    /// - Parameters:
    ///   - timeout: what the manager waits for a message (`WATCHDOG_USEC`), in nanoseconds.
    ///   - allowedSilence: the server's `timeout` and what a replacement may take to boot, in nanoseconds; nil when a
    ///     worker may be silent without end, and the master's loop is all that is watched.
    ///   - now: the start of the service, which counts as progress.
    public init(timeout: UInt64, allowedSilence: UInt64?, at now: UInt64) {
        interval = max(1, timeout / 2)
        self.allowedSilence = allowedSilence
        deadline = now
        lastProgress = now
    }

    /// Says whether to send the message now.
    ///
    /// - Parameters:
    ///   - heartbeats: when each worker that has booted showed life last; one of a worker that boots does not count.
    ///   - wanted: how many workers there shall be. With none, nobody's progress is missed.
    public mutating func verdict(heartbeats: some Sequence<UInt64>, wanted: Int, at now: UInt64) -> Verdict {
        for heartbeat in heartbeats {
            // A worker may have read the clock after the master did; a time far ahead must not count for ever.
            lastProgress = max(lastProgress, min(heartbeat, now))
        }
        if wanted == 0 { lastProgress = max(lastProgress, now) }
        guard now >= deadline else { return .notDue }
        deadline = now.addingOrMax(interval)
        if let allowedSilence, now.subtractingOrZero(lastProgress) > allowedSilence { return .withhold }
        return .send
    }
}
