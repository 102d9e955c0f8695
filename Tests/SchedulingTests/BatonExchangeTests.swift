import Platform
import Scheduling
import Synchronization
import Testing

@Suite struct BatonExchangeTests {
    @Test func startsOnOffer() {
        let exchange = BatonExchange(interruptPilot: {})
        let first = exchange.take(timeout: 0) != nil
        let second = exchange.take(timeout: 0) != nil
        #expect(first && !second)
    }

    @Test func aLoanIsRecoveredWhenNobodyRetookIt() {
        let exchange = BatonExchange(interruptPilot: {})
        guard let baton = exchange.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        #expect(exchange.observe() == nil)
        let loan = exchange.lend(baton)
        #expect(exchange.observe() != nil)
        let recovered = exchange.recover(loan) != nil
        #expect(recovered)
        #expect(exchange.observe() == nil)
    }

    @Test func aRetakenLoanIsLost() {
        let exchange = BatonExchange(interruptPilot: {})
        guard let baton = exchange.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let loan = exchange.lend(baton)
        guard let seen = exchange.observe() else {
            Issue.record("not lent")
            return
        }
        let retaken = exchange.retake(seen) != nil
        #expect(retaken)
        let recovered = exchange.recover(loan) != nil
        #expect(!recovered)
    }

    @Test func whatIsExpectedOfALoanEndsWithIt() {
        let exchange = BatonExchange(interruptPilot: {})
        guard let first = exchange.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let loan = exchange.lend(first, expectsLong: true)
        let long = exchange.observe()?.expectsLong
        guard let second = exchange.recover(loan) else {
            Issue.record("not recovered")
            return
        }
        let later = exchange.lend(second)
        let plain = exchange.observe()?.expectsLong
        #expect(long == true && plain == false)
        guard let seen = exchange.observe(), let third = exchange.retake(seen) else {
            Issue.record("not retaken")
            return
        }
        let recovered = exchange.recover(later) != nil
        let last = exchange.lend(third, expectsLong: true)
        guard let seenLast = exchange.observe(), let fourth = exchange.retake(seenLast) else {
            Issue.record("not retaken")
            return
        }
        let stale = exchange.recover(last) != nil
        _ = exchange.lend(fourth)
        #expect(!recovered && !stale && exchange.observe()?.expectsLong == false)
    }


    @Test func anObservationOfAnEarlierRequestRetakesNothing() {
        let exchange = BatonExchange(interruptPilot: {})
        guard let first = exchange.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let loan = exchange.lend(first)
        guard let seen = exchange.observe(), let second = exchange.recover(loan) else {
            Issue.record("not lent")
            return
        }
        let later = exchange.lend(second)
        let retaken = exchange.retake(seen) != nil
        #expect(!retaken)
        let recovered = exchange.recover(later) != nil
        #expect(recovered)
    }

    @Test func thePilotKeepsTheBatonWhileEveryRunnerIsBusy() {
        let exchange = BatonExchange(interruptPilot: {})
        guard let baton = exchange.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let kept = exchange.offerToWaitingRunner(baton) != nil
        #expect(kept)
    }

    @Test func anOfferThatNobodyWaitsForIsThePilots() {
        let exchange = BatonExchange(interruptPilot: {})
        guard let baton = exchange.take(timeout: 0) else {
            Issue.record("no baton")
            return
        }
        let early = exchange.claimUnwantedOffer() != nil
        exchange.offer(baton)
        let claimed = exchange.claimUnwantedOffer() != nil
        let again = exchange.claimUnwantedOffer() != nil
        #expect(!early && claimed && !again)
        let taken = exchange.take(timeout: 0) != nil
        #expect(!taken)
    }

    @Test func thePilotDoesNotSleepOverAnOfferThatNobodyWaitsFor() {
        let exchange = BatonExchange(interruptPilot: {})
        let began = Clock.now()
        exchange.sleepUntilLent(timeout: .seconds(60))
        let hasSlept = Clock.now() - began > .seconds(50)
        let claimed = exchange.claimUnwantedOffer() != nil
        #expect(claimed && !hasSlept)
    }

    @Test func aRunnerThatWantsTheBatonInterruptsThePilot() {
        let interruptions = Count()
        let exchange = BatonExchange(interruptPilot: { interruptions.value.add(1, ordering: .relaxed) })
        guard let baton = exchange.take(timeout: 0), let kept = exchange.offerToWaitingRunner(baton) else {
            Issue.record("no baton")
            return
        }
        let taken = exchange.take(timeout: 0) != nil
        #expect(!taken)
        #expect(interruptions.value.load(ordering: .relaxed) == 1)
        exchange.offer(kept)
    }

    private final class Count: Sendable {
        let value = Atomic<Int>(0)
    }
}
