public import Platform

/// What a pilot does for its owner beside passing the baton on. All of it is called on the pilot's thread.
public protocol PilotDuties {
    /// Nanoseconds between two glances at the same loan, after which it is retaken.
    var tick: Nanoseconds { get }
    /// Glances without a loan before the pilot sleeps until the next one.
    var idleGlances: Int { get }
    /// Whether the pilot has nothing more to do, now that it does not have the baton.
    var isOver: Bool { get }
    /// What is due from time to time, with the baton or without.
    ///
    /// - Returns: nanoseconds until it is due again.
    func check() -> Nanoseconds
    /// A loan is seen for the first time.
    func beginWatching()
    /// Whether a loan that is due is left alone until the next glance, since its runner had no chance to end it. Not
    /// for ever.
    func excuses() -> Bool
    /// Whether the reactor that the pilot drives accepts at once what comes: it does so for runners, and the pilot
    /// cannot run the application.
    func setAccepting(_ accepts: Bool, _ baton: borrowing Baton)
    /// Does the I/O at hand, then settles what runners gave back: in this order, since the I/O drains the waker, and a
    /// wake-up that comes later is still there for the poll.
    func doWork(_ baton: borrowing Baton)
    /// Whether the pilot is to lay the baton down and leave, although no runner waits for it.
    func hasToLeave(_ baton: borrowing Baton) -> Bool
    /// Waits for events, for as many nanoseconds at most.
    func poll(_ baton: borrowing Baton, timeout: Nanoseconds)
}

/// The pilot's thread: it glances at the loans, retakes one that outlasts a tick, and has the baton until a runner
/// wants it.
public struct PilotLoop<Duties: PilotDuties> {
    private let handOver: BatonHandOver
    private let duties: Duties

    public init(_ handOver: BatonHandOver, _ duties: Duties) {
        self.handOver = handOver
        self.duties = duties
    }

    /// Returns when the duties are over.
    public func run() {
        var last: BatonObservation?
        var idle = 0
        while !duties.isOver {
            let untilCheck = duties.check()
            guard let seen = handOver.observe() else {
                last = nil
                idle += 1
                if idle <= duties.idleGlances {
                    handOver.sleep(duties.tick)
                } else if let baton = handOver.claimUnwantedOffer() {
                    drive(baton)
                } else {
                    handOver.sleepUntilLent(timeout: untilCheck)
                }
                continue
            }
            idle = 0
            if seen != last { duties.beginWatching() }
            let isDue = seen.expectsLong || (seen == last && !duties.excuses())
            if isDue, let baton = handOver.retake(seen) {
                last = nil
                drive(baton)
            } else {
                last = seen
                handOver.sleep(duties.tick)
            }
        }
    }

    /// Has the baton until a runner wants it.
    private func drive(_ baton: consuming Baton) {
        guard var baton = handOver.offerToWaitingRunner(baton) else { return }
        duties.setAccepting(false, baton)
        while true {
            duties.doWork(baton)
            duties.setAccepting(true, baton)
            guard let kept = handOver.offerToWaitingRunner(baton) else { return }
            baton = kept
            if duties.hasToLeave(baton) { return handOver.offer(baton) }
            duties.setAccepting(false, baton)
            duties.poll(baton, timeout: duties.check())
        }
    }
}
