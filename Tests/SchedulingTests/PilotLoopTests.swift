import Platform
import Scheduling
import Testing

/// What the pilot does that its glances tell it, without another thread: its duties end the loop.
@Suite struct PilotLoopTests {
    private final class Duties: PilotDuties {
        let handOver: BatonHandOver
        /// Glances until it is over.
        var glances: Int
        var turns = 0
        var polls = 0
        var watched = 0
        var excusesLeft = 0
        let tick: Nanoseconds = 1
        let idleGlances = 2

        init(_ handOver: BatonHandOver, glances: Int) {
            self.handOver = handOver
            self.glances = glances
        }

        var isOver: Bool {
            glances -= 1
            return glances < 0
        }
        func check() -> Nanoseconds { 1 }
        func beginWatching() { watched += 1 }
        func excuses() -> Bool {
            excusesLeft -= 1
            return excusesLeft >= 0
        }
        func setAccepting(_ accepts: Bool, _ baton: borrowing Baton) {}
        func doWork(_ baton: borrowing Baton) { turns += 1 }
        func hasToLeave(_ baton: borrowing Baton) -> Bool { turns == 3 }
        func poll(_ baton: borrowing Baton, timeout: Nanoseconds) { polls += 1 }
    }

    private func turns(expectsLong: Bool, glances: Int, excuses: Int = 0) -> Int {
        let handOver = BatonHandOver(interruptPilot: {})
        guard let baton = handOver.take(timeout: 0) else { return -1 }
        let loan = handOver.lend(baton, expectsLong: expectsLong)
        let duties = Duties(handOver, glances: glances)
        duties.excusesLeft = excuses
        PilotLoop(handOver, duties).run()
        #expect(duties.watched == 1)
        _ = handOver.recover(loan)
        return duties.turns
    }

    @Test func aLoanIsRetakenAtTheSecondGlance() {
        #expect(turns(expectsLong: false, glances: 1) == 0)
        #expect(turns(expectsLong: false, glances: 2) == 3)
    }

    @Test func aLoanThatIsExcusedIsRetakenLater() {
        #expect(turns(expectsLong: false, glances: 4, excuses: 3) == 0)
        #expect(turns(expectsLong: false, glances: 5, excuses: 3) == 3)
        #expect(turns(expectsLong: true, glances: 1, excuses: 3) == 3)
    }

    @Test func aLoanThatIsExpectedToBeLongIsRetakenAtTheFirst() {
        #expect(turns(expectsLong: true, glances: 1) == 3)
    }

    @Test func itDrivesUntilItHasToLeave() {
        let handOver = BatonHandOver(interruptPilot: {})
        // On offer, and nobody waits: picked up after the idle glances.
        let duties = Duties(handOver, glances: 3)
        PilotLoop(handOver, duties).run()
        #expect(duties.turns == 3 && duties.polls == 2)
        // It laid the baton down.
        let taken = handOver.take(timeout: 0) != nil
        #expect(taken)
    }
}
