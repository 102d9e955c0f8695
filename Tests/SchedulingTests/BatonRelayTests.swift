import Platform
import Scheduling
import Synchronization
import Testing

@Suite struct BatonRelayTests {
    @Test func startsOnOffer() {
        let relay = BatonRelay(interruptPilot: {})
        let first = relay.take(timeout: 0) != nil
        let second = relay.take(timeout: 0) != nil
        #expect(first && !second)
    }

    @Test func aLoanIsRecoveredWhenNobodyRetookIt() {
        let relay = BatonRelay(interruptPilot: {})
        guard let baton = relay.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        #expect(relay.observe() == nil)
        let loan = relay.lend(baton)
        #expect(relay.observe() != nil)
        let recovered = relay.recover(loan) != nil
        #expect(recovered)
        #expect(relay.observe() == nil)
    }

    @Test func aRetakenLoanIsLost() {
        let relay = BatonRelay(interruptPilot: {})
        guard let baton = relay.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let loan = relay.lend(baton)
        guard let seen = relay.observe() else {
            Issue.record("not lent")
            return
        }
        let retaken = relay.retake(seen) != nil
        #expect(retaken)
        let recovered = relay.recover(loan) != nil
        #expect(!recovered)
    }

    @Test func whatIsExpectedOfALoanEndsWithIt() {
        let relay = BatonRelay(interruptPilot: {})
        guard let first = relay.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let loan = relay.lend(first, expectsLong: true)
        let long = relay.observe()?.expectsLong
        guard let second = relay.recover(loan) else {
            Issue.record("not recovered")
            return
        }
        let later = relay.lend(second)
        let plain = relay.observe()?.expectsLong
        #expect(long == true && plain == false)
        guard let seen = relay.observe(), let third = relay.retake(seen) else {
            Issue.record("not retaken")
            return
        }
        let recovered = relay.recover(later) != nil
        let last = relay.lend(third, expectsLong: true)
        guard let seenLast = relay.observe(), let fourth = relay.retake(seenLast) else {
            Issue.record("not retaken")
            return
        }
        let stale = relay.recover(last) != nil
        _ = relay.lend(fourth)
        #expect(!recovered && !stale && relay.observe()?.expectsLong == false)
    }

    @Test func anObservationOfAnEarlierRequestRetakesNothing() {
        let relay = BatonRelay(interruptPilot: {})
        guard let first = relay.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let loan = relay.lend(first)
        guard let seen = relay.observe(), let second = relay.recover(loan) else {
            Issue.record("not lent")
            return
        }
        let later = relay.lend(second)
        let retaken = relay.retake(seen) != nil
        #expect(!retaken)
        let recovered = relay.recover(later) != nil
        #expect(recovered)
    }

    @Test func thePilotKeepsTheBatonWhileEveryRunnerIsBusy() {
        let relay = BatonRelay(interruptPilot: {})
        guard let baton = relay.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let kept = relay.offerToWaitingRunner(baton) != nil
        #expect(kept)
    }

    @Test func anOfferThatNobodyWaitsForIsThePilots() {
        let relay = BatonRelay(interruptPilot: {})
        guard let baton = relay.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let early = relay.claimUnwantedOffer() != nil
        relay.offer(baton)
        let claimed = relay.claimUnwantedOffer() != nil
        let again = relay.claimUnwantedOffer() != nil
        #expect(!early && claimed && !again)
        let taken = relay.take(timeout: 0) != nil
        #expect(!taken)
    }

    @Test func thePilotDoesNotSleepOverAnOfferThatNobodyWaitsFor() {
        let relay = BatonRelay(interruptPilot: {})
        let began = Clock.now()
        relay.sleepUntilLent(timeout: .seconds(60))
        let hasSlept = Clock.now() - began > .seconds(50)
        let claimed = relay.claimUnwantedOffer() != nil
        #expect(claimed && !hasSlept)
    }

    @Test func aRunnerThatWantsTheBatonInterruptsThePilot() {
        let interruptions = Count()
        let relay = BatonRelay(interruptPilot: { interruptions.value.add(1, ordering: .relaxed) })
        guard let baton = relay.take(timeout: 0), let kept = relay.offerToWaitingRunner(baton) else {
            Issue.record("no baton")
            return
        }
        let taken = relay.take(timeout: 0) != nil
        #expect(!taken)
        #expect(interruptions.value.load(ordering: .relaxed) == 1)
        relay.offer(kept)
    }

    private final class Count: Sendable {
        let value = Atomic<Int>(0)
    }
}
