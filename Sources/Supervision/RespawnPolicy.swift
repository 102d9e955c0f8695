/// When a worker that died may be replaced.
///
/// One death is an accident and is made good at once. A worker that dies shortly after its spawn, and whose replacement
/// does so too, would make a loop of forks that eats the machine and fills the log; each such generation doubles the
/// wait, up to a few seconds. Workers that live are not touched by it: only the missing ones wait.
///
/// All times are nanoseconds of the monotonic clock.
struct RespawnPolicy: Equatable, Sendable {
    /// A worker that lived shorter than this died early.
    static let earlyDeath: UInt64 = 2_000_000_000
    /// The first wait; the next ones double it.
    static let firstDelay: UInt64 = 100_000_000
    /// No wait is longer. Short, because a client that knows how to crash a worker must not gain a longer outage by it.
    static let longestDelay: UInt64 = 5_000_000_000
    /// So long after an early death, the next one is an accident again. Longer than the longest wait and an early death
    /// together, or a steady loop would keep forgetting.
    static let forgetAfter: UInt64 = 10_000_000_000

    /// Generations of workers that died early, one after the other.
    private(set) var strikes = 0
    private(set) var lastStrike: UInt64 = 0
    /// Before this time nothing is spawned.
    private(set) var notBefore: UInt64 = 0

    func allowsSpawn(at now: UInt64) -> Bool { now >= notBefore }

    /// Takes note of the end of a worker that nobody asked to leave.
    mutating func recordDeath(of worker: WorkerProcess, _ exit: WorkerExit, at now: UInt64) {
        guard now.subtractingOrZero(worker.spawnedAt) < Self.earlyDeath else { return }
        if exit == .exited(code: 0) {
            // It left by its own will, as one that has served its share of requests does. That is no fault and the wait
            // does not grow, but an application that exits as soon as it is imported must not spin either.
            notBefore = max(notBefore, now.addingOrMax(Self.firstDelay))
        } else if strikes == 0 || worker.spawnedAt >= lastStrike {
            // Siblings of one generation that die together (`kill` by hand, a signal to the group) count once.
            strike(at: now)
        }
    }

    /// Takes note of a worker that could not boot while others serve. However long it took to find out, a loop of it
    /// would be as useless.
    mutating func recordBootFailure(of worker: WorkerProcess, at now: UInt64) {
        if strikes == 0 || worker.spawnedAt >= lastStrike { strike(at: now) }
        notBefore = max(notBefore, now.addingOrMax(Self.firstDelay))
    }

    /// Takes note of a `fork` that failed for want of memory or process ids: waiting is all that can help.
    mutating func recordSpawnFailure(at now: UInt64) {
        strike(at: now)
        notBefore = max(notBefore, now.addingOrMax(Self.firstDelay))
    }

    private mutating func strike(at now: UInt64) {
        if strikes > 0 && now.subtractingOrZero(lastStrike) > Self.forgetAfter { strikes = 0 }
        strikes += 1
        lastStrike = now
        guard strikes > 1 else { return }
        // Past 2^10 the longest delay has been reached long ago; the bound keeps the shift from overflowing.
        let doublings = UInt64(min(strikes - 2, 10))
        let delay = min(Self.firstDelay << doublings, Self.longestDelay)
        notBefore = max(notBefore, now.addingOrMax(delay))
    }
}

extension UInt64 {
    /// A deadline that no clock reaches, instead of a trap, for a timeout set to a huge number.
    func addingOrMax(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    func subtractingOrZero(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }
}
