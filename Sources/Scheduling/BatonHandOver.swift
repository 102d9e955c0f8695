public import Platform

/// Hands the baton from thread to thread.
///
/// Runners have it while they poll and parse, lend it while the application runs, and recover it afterwards: two atomic
/// operations, no lock, no wake-up. Only when an application outlasts a tick does the pilot retake it, and offer it to
/// a runner that waits or, when every runner is busy, keep it.
///
/// The steps of each operation are in `BatonMemory+Runner.swift` and `BatonMemory+Pilot.swift`; what a pilot does with
/// them is in `PilotLoop.swift`.
public final class BatonHandOver: Sendable {
    private let memory: AtomicBatonMemory

    /// The baton is on offer at first.
    ///
    /// - Parameter interruptPilot: ends the pilot's wait in the poller, or the next one if it does not wait yet; called
    ///   when a runner wants the baton that the pilot keeps.
    public init(interruptPilot: @escaping @Sendable () -> Void) {
        memory = AtomicBatonMemory(interruptPilot: interruptPilot)
    }

    // MARK: Runners

    /// Waits for the baton. Nil after the timeout, a signal, or for no reason: the main thread then lets Python run its
    /// signal handlers.
    public func take(timeout: Nanoseconds) -> Baton? { memory.take(timeout: timeout) }

    /// Lays the baton down for a runner that waits, or that comes next; for a runner that leaves. The pilot picks it up
    /// when no runner does.
    public func offer(_ baton: consuming Baton) { memory.offer(baton) }

    /// Whether a runner waits for the baton. It may be gone in a moment, or one may come.
    public var isAwaited: Bool { memory.hasWaitingRunners() }

    /// Gives the baton to a runner that waits. Nil when one does; the baton back when none does.
    public func offerIfAwaited(_ baton: consuming Baton) -> Baton? { memory.offerIfAwaited(baton) }

    /// Ends the wait of every runner in `take`, so that it looks whether there is still something to do. One that is
    /// about to wait is not reached.
    public func wakeRunners() { memory.wakeRunners(count: .max) }

    /// Before the application runs: the pilot may now retake the baton.
    ///
    /// - Parameter expectsLong: the loan is known to outlast a tick: the pilot retakes it at once.
    public func lend(_ baton: consuming Baton, expectsLong: Bool = false) -> BatonLoan {
        memory.lend(baton, expectsLong: expectsLong)
    }

    /// After the application returned: the baton, unless the pilot retook it.
    public func recover(_ loan: consuming BatonLoan) -> Baton? { memory.recover(loan) }

    // MARK: The pilot

    /// A glance at the word, for `retake`. Nil when nothing is lent.
    public func observe() -> BatonObservation? { memory.observe() }

    /// Takes the baton from the runner whose loan was observed, if it is still in the same request.
    public func retake(_ observation: BatonObservation) -> Baton? { memory.retake(observation) }

    /// Offers the baton to a runner that waits. Nil when one does; the baton back when all are busy.
    public func offerToWaitingRunner(_ baton: consuming Baton) -> Baton? { memory.offerToWaitingRunner(baton) }

    /// The baton if it is on offer and no runner waits for it: the runner that offered it has left, or the one that
    /// waited gave up in that moment. The pilot asks before it sleeps until the next loan, since there may be none.
    public func claimUnwantedOffer() -> Baton? { memory.claimUnwantedOffer() }

    /// Sleeps for a tick, or until `wakePilot`.
    public func sleep(_ tick: Nanoseconds) { memory.sleep(tick) }

    /// Sleeps until a runner lends the baton, lays it down for nobody, `wakePilot`, or the timeout. It may return for
    /// no reason.
    public func sleepUntilLent(timeout: Nanoseconds) { memory.sleepUntilLent(timeout: timeout) }

    /// Ends the pilot's sleep, and its poll if it keeps the baton. Any thread.
    public func wakePilot() { memory.wakePilot() }
}

/// That a loan was seen at one moment.
public struct BatonObservation: Equatable, Sendable {
    let word: BatonWord

    /// Whether the loan was made for longer than a tick, so that a single glance is enough to retake it.
    public var expectsLong: Bool { word.expectsLong }

    public static func == (left: BatonObservation, right: BatonObservation) -> Bool { left.word == right.word }
}
