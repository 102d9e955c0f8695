import Platform
import Scheduling
import Synchronization
import Testing

/// Threads that pass the baton around as those of a worker do. What its holder alone may touch is not protected in any
/// other way: the thread sanitizer sees it when two hold the baton (`make sanitize`), and sums that are wrong often
/// show it without.
@Suite struct BatonStressTests {
    /// What a worker's threads share.
    private final class Crew: PilotDuties, @unchecked Sendable {
        let handOver: BatonHandOver
        let waker: Waker
        let total: Int
        let runners: Int
        let living = Atomic<Int>(0)
        /// Waits that ended because their time was up: a wake-up was lost.
        let naps = Atomic<Int>(0)
        private let hasEnded = Atomic<Bool>(false)
        var isOver: Bool { hasEnded.load(ordering: .acquiring) }
        let returns = Lock<[Int]>([])
        let returned = Atomic<Bool>(false)

        // The holder's.
        let poller: Poller
        var given = 0
        var answered: [Int]
        var answeredCount = 0
        /// Whether the pilot has gone on with the I/O itself.
        let pilotHadATurn = Atomic<Bool>(false)
        /// The pilot's alone.
        var glances = 0
        var wokenByWaker = false

        init(total: Int, runners: Int) throws {
            self.total = total
            self.runners = runners
            answered = Array(repeating: 0, count: total)
            let waker = try Waker()
            self.waker = waker
            handOver = BatonHandOver(interruptPilot: { waker.wake() })
            poller = try Poller(capacity: 4)
            try poller.add(waker.descriptor, .readable, payload: 0)
        }

        deinit { waker.descriptor.close() }

        static let nap = 10

        func finish(_ request: Int, _ baton: borrowing Baton) {
            answered[request] += 1
            answeredCount += 1
        }

        func drainWaker(_ baton: borrowing Baton) {
            if wokenByWaker { waker.drain() }
            wokenByWaker = false
        }

        func settle(_ baton: borrowing Baton) {
            guard returned.load(ordering: .acquiring) else { return }
            let all = returns.withLock { items in
                returned.store(false, ordering: .releasing)
                let all = items
                items = []
                return all
            }
            for request in all { finish(request, baton) }
        }

        func poll(_ baton: borrowing Baton, canRun: Bool) {
            let isBusy = canRun && given < total
            let count = (try? poller.wait(milliseconds: isBusy ? 0 : Int32(Self.nap * 1000))) ?? 0
            if count == 0, !isBusy { naps.add(1, ordering: .relaxed) }
            wokenByWaker = count > 0
        }

        func runner(_ seed: UInt64) {
            defer { living.subtract(1, ordering: .releasing) }
            var random = seed
            while true {
                guard var baton = handOver.take(timeout: .seconds(Self.nap)) else {
                    // A wake-up whose offer another was quicker to take is not a nap.
                    continue
                }
                holding: while true {
                    drainWaker(baton)
                    // A few requests have come.
                    for _ in 0..<4 where given < total {
                        let request = given
                        given += 1
                        // A few are taken to be long, rightly or not.
                        let loan = handOver.lend(baton, expectsLong: request % 64 == 0)
                        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                        if request < runners { waitForTheTurnOfThePilot() } else { Self.application(Int(random >> 56)) }
                        guard let recovered = handOver.recover(loan) else {
                            returns.withLock { $0.append(request) }
                            returned.store(true, ordering: .releasing)
                            waker.wake()
                            break holding
                        }
                        baton = recovered
                        finish(request, baton)
                    }
                    settle(baton)
                    if answeredCount == total {
                        hasEnded.store(true, ordering: .releasing)
                        handOver.wakePilot()
                        handOver.offer(baton)
                        return
                    }
                    poll(baton, canRun: true)
                }
            }
        }

        /// When every runner is here, nobody but the pilot can go on.
        private func waitForTheTurnOfThePilot() {
            let word = Atomic<UInt32>(0)
            let deadline = Clock.now() + .seconds(60)
            while !pilotHadATurn.load(ordering: .relaxed), Clock.now() < deadline {
                Futex.wait(word, while: 0, timeout: .microseconds(200))
            }
        }

        /// Most return at once, some compute for a while, some wait.
        private static func application(_ kind: Int) {
            switch kind {
            case 0..<8:
                let word = Atomic<UInt32>(0)
                Futex.wait(word, while: 0, timeout: .microseconds(kind * 200))
            case 8..<16:
                let until = Clock.now() + .microseconds(kind * 20)
                while Clock.now() < until {}
            default: break
            }
        }

        func pilot() {
            defer { living.subtract(1, ordering: .releasing) }
            PilotLoop(handOver, self).run()
        }

        // What the pilot's loop asks for.

        var tick: Nanoseconds { .microseconds(50) }
        var idleGlances: Int { 3 }
        func check() -> Nanoseconds { .seconds(Self.nap) }
        func beginWatching() { glances += 1 }
        /// Every third loan is left alone once.
        func excuses() -> Bool {
            glances += 1
            return glances % 3 == 0
        }
        func setAccepting(_ accepts: Bool, _ baton: borrowing Baton) {
            if !accepts { pilotHadATurn.store(true, ordering: .relaxed) }
        }
        func doWork(_ baton: borrowing Baton) {
            drainWaker(baton)
            settle(baton)
        }
        /// At the end the others have left.
        func hasToLeave(_ baton: borrowing Baton) -> Bool { isOver }
        func poll(_ baton: borrowing Baton, timeout: Nanoseconds) { poll(baton, canRun: false) }
    }

    @Test(arguments: [1, 2, 4])
    func everyRequestIsAnsweredOnce(runners: Int) throws {
        let crew = try Crew(total: 10_000, runners: runners)
        for seed in 1...runners {
            crew.living.add(1, ordering: .relaxed)
            try Thread.start(name: "runner") { crew.runner(UInt64(seed)) }
        }
        crew.living.add(1, ordering: .relaxed)
        try Thread.start(name: "pilot") { crew.pilot() }
        let word = Atomic<UInt32>(0)
        let deadline = Clock.now() + .seconds(120)
        while crew.living.load(ordering: .acquiring) > 0, Clock.now() < deadline {
            Futex.wait(word, while: 0, timeout: .milliseconds(1))
        }
        try #require(crew.living.load(ordering: .acquiring) == 0)
        #expect(crew.answered.allSatisfy { $0 == 1 })
        #expect(crew.naps.load(ordering: .relaxed) == 0)
        let pilotHadATurn = crew.pilotHadATurn.load(ordering: .relaxed)
        #expect(pilotHadATurn)
    }
}
