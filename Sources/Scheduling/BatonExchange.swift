public import Platform
internal import Synchronization

/// Hands the baton from thread to thread.
///
/// Runners have it while they poll and parse, lend it while the application runs, and recover it afterwards: two atomic
/// operations, no lock, no wake-up. Only when an application outlasts a tick does the pilot retake it, and offer it to a
/// runner that waits or, when every runner is busy, keep it.
public final class BatonExchange: Sendable {
    private let word = Atomic<UInt64>(BatonWord.initial.bits)
    /// 1 while the baton lies ready for whoever takes it: the futex on which runners wait.
    private let offered = Atomic<UInt32>(1)
    private let waitingRunners = Atomic<UInt32>(0)
    /// The pilot has the baton and may be asleep in the poller.
    private let pilotKeeps = Atomic<Bool>(false)
    /// 1 while the pilot sleeps until something is lent: the futex it sleeps on.
    private let pilotParked = Atomic<UInt32>(0)
    private let interruptPilot: @Sendable () -> Void

    /// - Parameter interruptPilot: ends the pilot's wait in the poller; called when a runner wants the baton that it keeps.
    public init(interruptPilot: @escaping @Sendable () -> Void) {
        self.interruptPilot = interruptPilot
    }

    // MARK: Runners

    /// Waits for the baton. Nil after the timeout or a signal: the main thread then lets Python run its signal handlers.
    public func take(timeout: Nanoseconds) -> Baton? {
        waitingRunners.add(1, ordering: .sequentiallyConsistent)
        defer { waitingRunners.subtract(1, ordering: .sequentiallyConsistent) }
        if let baton = claimOffer() { return baton }
        // The pilot publishes `pilotKeeps` before it looks for waiting runners, and this side does it the other way
        // round, so that one of the two sees the other.
        if pilotKeeps.load(ordering: .sequentiallyConsistent) { interruptPilot() }
        Futex.wait(offered, while: 0, timeout: timeout)
        return claimOffer()
    }

    private func claimOffer() -> Baton? {
        offered.compareExchange(expected: 1, desired: 0, ordering: .acquiring).exchanged ? Baton() : nil
    }

    /// Lays the baton down for whoever waits, or comes next.
    public func offer(_ baton: consuming Baton) {
        offered.store(1, ordering: .releasing)
        Futex.wake(offered)
    }

    /// Gives the baton to a runner that waits. Nil when one does; the baton back when none does.
    public func offerIfAwaited(_ baton: consuming Baton) -> Baton? {
        guard waitingRunners.load(ordering: .sequentiallyConsistent) > 0 else { return baton }
        offer(baton)
        return nil
    }

    /// Ends the wait of every runner in `take`, so that it looks whether there is still something to do.
    public func wakeRunners() {
        Futex.wake(offered, count: .max)
    }

    /// Before the application runs: the pilot may now retake the baton.
    public func lend(_ baton: consuming Baton) -> BatonLoan {
        let lent = BatonWord(bits: word.load(ordering: .relaxed)).lent
        // Sequentially consistent against `sleepUntilLent`: either this sees the pilot parked, or the pilot sees the loan.
        word.store(lent.bits, ordering: .sequentiallyConsistent)
        if pilotParked.load(ordering: .sequentiallyConsistent) == 1 { wakePilot() }
        return BatonLoan(word: lent)
    }

    /// After the application returned: the baton, unless the pilot retook it.
    public func recover(_ loan: consuming BatonLoan) -> Baton? {
        let result = word.compareExchange(
            expected: loan.word.bits, desired: loan.word.recovered.bits, ordering: .acquiringAndReleasing)
        return result.exchanged ? Baton() : nil
    }

    // MARK: The pilot

    /// A glance at the word, for `retake`. Nil when nothing is lent.
    public func observe() -> BatonObservation? {
        let seen = BatonWord(bits: word.load(ordering: .acquiring))
        return seen.isLent ? BatonObservation(word: seen) : nil
    }

    /// Takes the baton from the runner whose loan was observed, if it is still in the same request.
    public func retake(_ observation: BatonObservation) -> Baton? {
        let result = word.compareExchange(
            expected: observation.word.bits, desired: observation.word.retaken.bits, ordering: .acquiringAndReleasing)
        return result.exchanged ? Baton() : nil
    }

    /// Offers a retaken baton to a runner that waits. Nil when one does; the baton back when all are busy.
    public func offerToWaitingRunner(_ baton: consuming Baton) -> Baton? {
        pilotKeeps.store(true, ordering: .sequentiallyConsistent)
        guard waitingRunners.load(ordering: .sequentiallyConsistent) > 0 else { return baton }
        pilotKeeps.store(false, ordering: .sequentiallyConsistent)
        offer(baton)
        return nil
    }

    /// Sleeps for a tick.
    public func sleep(_ tick: Nanoseconds) {
        Futex.wait(pilotParked, while: 0, timeout: tick)
    }

    /// Sleeps until a runner lends the baton, `wakePilot`, or the timeout.
    public func sleepUntilLent(timeout: Nanoseconds) {
        pilotParked.store(1, ordering: .sequentiallyConsistent)
        if !BatonWord(bits: word.load(ordering: .sequentiallyConsistent)).isLent {
            Futex.wait(pilotParked, while: 1, timeout: timeout)
        }
        pilotParked.store(0, ordering: .sequentiallyConsistent)
    }

    /// Ends the pilot's sleep, and its poll if it keeps the baton.
    public func wakePilot() {
        pilotParked.store(0, ordering: .sequentiallyConsistent)
        Futex.wake(pilotParked)
        if pilotKeeps.load(ordering: .sequentiallyConsistent) { interruptPilot() }
    }
}

/// That a loan was seen at one moment.
public struct BatonObservation: Equatable, Sendable {
    let word: BatonWord

    public static func == (left: BatonObservation, right: BatonObservation) -> Bool { left.word == right.word }
}
