import Platform
import Synchronization
import Testing

@testable import Transport

/// Two workers asleep on one listener, as the kernel wakes them.
@Suite struct SharedListenerTests {
    /// What the two threads and the test tell each other.
    private final class Round: Sendable {
        /// 1: the worker that is woken next shall take no connection. 2: one is doing so. 0 otherwise.
        let declining = Atomic<Int>(0)
        let isAnswered = Atomic<Bool>(false)
        let isOver = Atomic<Bool>(false)
        let ended = Atomic<Int>(0)
    }

    /// A reactor that only its thread touches, from the start of the thread on.
    private struct Worker: @unchecked Sendable {
        let loop: ForeignLoop
        let round: Round

        func run() {
            while !round.isOver.load(ordering: .acquiring) {
                guard loop.poll(milliseconds: 100) else { continue }
                if round.declining.compareExchange(expected: 1, desired: 2, ordering: .acquiringAndReleasing).exchanged
                {
                    loop.reactor.setAccepting(false, loop.baton)
                    loop.turn()
                    let deadline = Clock.now() + .seconds(15)
                    while !round.isAnswered.load(ordering: .acquiring), Clock.now() < deadline {
                        _ = loop.poll(milliseconds: 1)
                    }
                    loop.reactor.setAccepting(true, loop.baton)
                    round.declining.store(0, ordering: .releasing)
                }
                loop.turn()
            }
            round.ended.add(1, ordering: .releasing)
        }
    }

    /// The one that is woken finds that it has no time. The other must hear of the connection without a further event.
    @Test func aConnectionThatOneDeclinesWakesTheOther() throws {
        let round = Round()
        let first = try ForeignLoop()
        let second = try ForeignLoop(sharing: first)
        for loop in [first, second] {
            let worker = Worker(loop: loop, round: round)
            try Thread.start(name: "worker") { worker.run() }
        }
        var answered = 0
        for _ in 0..<10 {
            round.isAnswered.store(false, ordering: .releasing)
            round.declining.store(1, ordering: .releasing)
            let client = try LoopbackClient(port: first.port)
            client.send(Request.get("/a", fields: "Connection: close\r\n"))
            if client.wait(milliseconds: 10_000) { answered += 1 }
            round.isAnswered.store(true, ordering: .releasing)
            // Perhaps nobody was woken before the answer; else the round ends when the one who declined is back.
            _ = round.declining.compareExchange(expected: 1, desired: 0, ordering: .acquiringAndReleasing)
            let deadline = Clock.now() + .seconds(20)
            while round.declining.load(ordering: .acquiring) != 0, Clock.now() < deadline {}
        }
        round.isOver.store(true, ordering: .releasing)
        let deadline = Clock.now() + .seconds(30)
        while round.ended.load(ordering: .acquiring) < 2, Clock.now() < deadline { first.reactor.waker.wake() }
        try #require(round.ended.load(ordering: .acquiring) == 2)
        #expect(answered == 10)
        #expect(first.handled.count + second.handled.count == 10)
    }
}
