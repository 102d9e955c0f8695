import Platform
import Scheduling
import Synchronization
import Testing

@Suite struct BatonHandOverTests {
    @Test func startsOnOffer() {
        let handOver = BatonHandOver(interruptPilot: {})
        let first = handOver.take(timeout: 0) != nil
        let second = handOver.take(timeout: 0) != nil
        #expect(first && !second)
    }

    @Test func aLoanIsRecoveredWhenNobodyRetookIt() {
        let handOver = BatonHandOver(interruptPilot: {})
        guard let baton = handOver.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        #expect(handOver.observe() == nil)
        let loan = handOver.lend(baton)
        #expect(handOver.observe() != nil)
        let recovered = handOver.recover(loan) != nil
        #expect(recovered)
        #expect(handOver.observe() == nil)
    }

    @Test func aRetakenLoanIsLost() {
        let handOver = BatonHandOver(interruptPilot: {})
        guard let baton = handOver.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let loan = handOver.lend(baton)
        guard let seen = handOver.observe() else {
            Issue.record("not lent")
            return
        }
        let retaken = handOver.retake(seen) != nil
        #expect(retaken)
        let recovered = handOver.recover(loan) != nil
        #expect(!recovered)
    }

    @Test func whatIsExpectedOfALoanEndsWithIt() {
        let handOver = BatonHandOver(interruptPilot: {})
        guard let first = handOver.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let loan = handOver.lend(first, expectsLong: true)
        let long = handOver.observe()?.expectsLong
        guard let second = handOver.recover(loan) else {
            Issue.record("not recovered")
            return
        }
        let later = handOver.lend(second)
        let plain = handOver.observe()?.expectsLong
        #expect(long == true && plain == false)
        guard let seen = handOver.observe(), let third = handOver.retake(seen) else {
            Issue.record("not retaken")
            return
        }
        let recovered = handOver.recover(later) != nil
        let last = handOver.lend(third, expectsLong: true)
        guard let seenLast = handOver.observe(), let fourth = handOver.retake(seenLast) else {
            Issue.record("not retaken")
            return
        }
        let stale = handOver.recover(last) != nil
        _ = handOver.lend(fourth)
        #expect(!recovered && !stale && handOver.observe()?.expectsLong == false)
    }

    @Test func anObservationOfAnEarlierRequestRetakesNothing() {
        let handOver = BatonHandOver(interruptPilot: {})
        guard let first = handOver.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let loan = handOver.lend(first)
        guard let seen = handOver.observe(), let second = handOver.recover(loan) else {
            Issue.record("not lent")
            return
        }
        let later = handOver.lend(second)
        let retaken = handOver.retake(seen) != nil
        #expect(!retaken)
        let recovered = handOver.recover(later) != nil
        #expect(recovered)
    }

    @Test func thePilotKeepsTheBatonWhileEveryRunnerIsBusy() {
        let handOver = BatonHandOver(interruptPilot: {})
        guard let baton = handOver.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let kept = handOver.offerToWaitingRunner(baton) != nil
        #expect(kept)
    }

    @Test func anOfferThatNobodyWaitsForIsThePilots() {
        let handOver = BatonHandOver(interruptPilot: {})
        guard let baton = handOver.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let early = handOver.claimUnwantedOffer() != nil
        handOver.offer(baton)
        let claimed = handOver.claimUnwantedOffer() != nil
        let again = handOver.claimUnwantedOffer() != nil
        #expect(!early && claimed && !again)
        let taken = handOver.take(timeout: 0) != nil
        #expect(!taken)
    }

    @Test func thePilotDoesNotSleepOverAnOfferThatNobodyWaitsFor() {
        let handOver = BatonHandOver(interruptPilot: {})
        let began = Clock.now()
        handOver.sleepUntilLent(timeout: .seconds(60))
        let hasSlept = Clock.now() - began > .seconds(50)
        let claimed = handOver.claimUnwantedOffer() != nil
        #expect(claimed && !hasSlept)
    }

    @Test func aRunnerThatWantsTheBatonInterruptsThePilot() {
        let interruptions = Count()
        let handOver = BatonHandOver(interruptPilot: { interruptions.value.add(1, ordering: .relaxed) })
        guard let baton = handOver.take(timeout: 0), let kept = handOver.offerToWaitingRunner(baton) else {
            Issue.record("no baton")
            return
        }
        let taken = handOver.take(timeout: 0) != nil
        #expect(!taken)
        #expect(interruptions.value.load(ordering: .relaxed) == 1)
        handOver.offer(kept)
    }

    private final class Count: Sendable {
        let value = Atomic<Int>(0)
    }
}
