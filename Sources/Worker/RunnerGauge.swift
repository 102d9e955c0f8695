internal import Platform
internal import Synchronization

/// What other threads may see of a runner.
final class RunnerGauge: Sendable {
    /// When the request that it runs began, on the monotonic clock; 0 between requests.
    private let beganAt = Atomic<UInt64>(0)
    private let pythonIdentity = Atomic<Int>(0)
    private let threadID = Atomic<Int32>(0)
    private let hasLeft = Atomic<Bool>(false)
    /// When the request began for which nobody waits any more; 0 for none. It is in the past as soon as `beganAt` is
    /// another.
    private let givenUpAt = Atomic<UInt64>(0)
    /// Nanoseconds that were left out, of all requests so far.
    private let excludedTime = Atomic<UInt64>(0)

    /// - Parameter now: the clock, as of a moment ago.
    @inline(__always)
    func begin(_ now: Nanoseconds) { beganAt.store(now, ordering: .relaxed) }

    @inline(__always)
    func end() { beganAt.store(0, ordering: .relaxed) }

    /// Leaves a wait for the client, in nanoseconds, out of the present request's time.
    func exclude(_ wait: Nanoseconds) {
        let began = beganAt.load(ordering: .relaxed)
        guard began != 0 else { return }
        // It stays the same request: one that was given up still is.
        _ = givenUpAt.compareExchange(expected: began, desired: began &+ wait, ordering: .relaxed)
        beganAt.store(began &+ wait, ordering: .relaxed)
        excludedTime.wrappingAdd(wait, ordering: .relaxed)
    }

    /// Whether a request is in the application.
    var isBusy: Bool { beganAt.load(ordering: .relaxed) != 0 }

    /// How long the present request has been running, in nanoseconds; nil between requests.
    func duration(at now: Nanoseconds) -> Nanoseconds? {
        let began = beganAt.load(ordering: .relaxed)
        return began == 0 ? nil : now &- min(began, now)
    }

    /// When the present request began, on the monotonic clock, its waits for the client left out; nil between requests.
    var began: Nanoseconds? {
        let began = beganAt.load(ordering: .relaxed)
        return began == 0 ? nil : began
    }

    /// What tells the present request from others of this runner, however long it waits for its client; nil between
    /// requests.
    var request: UInt64? {
        guard let began else { return nil }
        return began &- excludedTime.load(ordering: .relaxed)
    }

    /// Gives up the request that began then: nobody waits for it any more. It may end in this moment, and then nothing
    /// happened.
    func giveUp(requestOf began: Nanoseconds) { givenUpAt.store(began, ordering: .relaxed) }

    /// Whether the present request was given up.
    var isGivenUp: Bool {
        guard let began else { return false }
        return givenUpAt.load(ordering: .relaxed) == began
    }

    /// `threading.get_ident()` of its thread; 0 before it runs.
    var identity: Int { pythonIdentity.load(ordering: .relaxed) }

    /// Its thread, as Python and the kernel number it.
    func enter(python identity: Int, kernel id: Int32) {
        pythonIdentity.store(identity, ordering: .relaxed)
        threadID.store(id, ordering: .releasing)
    }

    /// The thread serves no more.
    func leave() { hasLeft.store(true, ordering: .releasing) }

    /// Whether the thread left in order.
    var isGone: Bool { hasLeft.load(ordering: .acquiring) }

    /// Whether the thread ended where it was: some code in the application ended it.
    var isLost: Bool {
        let id = threadID.load(ordering: .acquiring)
        return id != 0 && !isGone && !Thread.exists(id) && !isGone
    }
}
