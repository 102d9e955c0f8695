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

    /// Counts who is inside: any overlap of two holders shows as a count above one, and a torn plain counter.
    final class Crew: @unchecked Sendable {
        let exchange: BatonExchange
        let stop = Atomic<Bool>(false)
        let running = Atomic<Int>(0)
        let overlaps = Atomic<Int>(0)
        let inside = Atomic<Int>(0)
        let interrupted = Atomic<Int>(0)
        let retakings = Atomic<Int>(0)
        /// Touched by the holder only: the reactor's part in this play.
        var turns = 0

        init() {
            nonisolated(unsafe) weak var crew: Crew?
            exchange = BatonExchange(interruptPilot: { crew?.interrupted.add(1, ordering: .relaxed) })
            crew = self
        }

        func hold(_ baton: borrowing Baton) {
            if inside.add(1, ordering: .acquiringAndReleasing).newValue != 1 { overlaps.add(1, ordering: .relaxed) }
            turns += 1
            inside.subtract(1, ordering: .acquiringAndReleasing)
        }

        func runner(_ seed: UInt64) {
            running.add(1, ordering: .relaxed)
            defer { running.subtract(1, ordering: .releasing) }
            var random = seed
            while !stop.load(ordering: .relaxed) {
                guard var baton = exchange.take(timeout: .milliseconds(1)) else { continue }
                while true {
                    hold(baton)
                    if stop.load(ordering: .relaxed) {
                        exchange.offer(baton)
                        return
                    }
                    let loan = exchange.lend(baton)
                    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    // One application in sixteen outlasts the pilot's glance.
                    if random >> 60 == 0 {
                        let until = Clock.now() + .microseconds(200)
                        while Clock.now() < until {}
                    }
                    guard let back = exchange.recover(loan) else { break }
                    baton = back
                }
            }
        }

        func pilot() {
            running.add(1, ordering: .relaxed)
            defer { running.subtract(1, ordering: .releasing) }
            while !stop.load(ordering: .relaxed) {
                guard let seen = exchange.observe() else {
                    exchange.sleep(.microseconds(50))
                    continue
                }
                exchange.sleep(.microseconds(50))
                guard var baton = exchange.retake(seen) else { continue }
                retakings.add(1, ordering: .relaxed)
                while true {
                    hold(baton)
                    guard let kept = exchange.offerToWaitingRunner(baton) else { break }
                    if stop.load(ordering: .relaxed) {
                        exchange.offer(kept)
                        return
                    }
                    baton = kept
                }
            }
        }
    }

    @Test func neverTwoHolders() throws {
        let crew = Crew()
        for seed in 1...3 { try Thread.start(name: "runner") { crew.runner(UInt64(seed)) } }
        try Thread.start(name: "pilot") { crew.pilot() }
        let word = Atomic<UInt32>(0)
        let deadline = Clock.now() + .seconds(20)
        while crew.retakings.load(ordering: .relaxed) < 200, Clock.now() < deadline {
            Futex.wait(word, while: 0, timeout: .milliseconds(1))
        }
        crew.stop.store(true, ordering: .relaxed)
        while crew.running.load(ordering: .acquiring) > 0, Clock.now() < deadline {
            Futex.wait(word, while: 0, timeout: .milliseconds(1))
        }
        let overlaps = crew.overlaps.load(ordering: .relaxed)
        let retakings = crew.retakings.load(ordering: .relaxed)
        #expect(overlaps == 0)
        #expect(retakings >= 200)
        #expect(crew.turns > 200)
    }
}
