import Platform
import Synchronization
import Testing

@Suite struct SharedLifetimeTests {
    @Test func servesAtFirst() {
        let shared = SharedLifetime()
        #expect(shared.current == .serving)
        #expect(!shared.isLeaving && !shared.isQuitting)
    }

    @Test func answersAsItsValueDoes() {
        let shared = SharedLifetime()
        shared.receive(.drain(until: 1600, replaced: true))
        #expect(shared.current == .draining(until: 1600, replaced: true))
        #expect(shared.isLeaving && !shared.isQuitting)
        shared.receive(.quit(until: 3200))
        #expect(shared.current == .quitting(until: 1600))
        #expect(shared.isLeaving && shared.isQuitting)
        shared.receive(.end(until: 3200))
        #expect(shared.current == .ended(until: 1600, quits: true))
    }

    /// No event of several threads is lost, in whichever order they come.
    @Test func threadsTellItTogether() throws {
        for _ in 0..<200 {
            let shared = SharedLifetime()
            let box = Box(shared: shared)
            try Thread.start(name: "drains") { box.tell(.drain(until: 480, replaced: true)) }
            try Thread.start(name: "quits") { box.tell(.quit(until: 320)) }
            try Thread.start(name: "ends") { box.tell(.end(until: 160)) }
            let word = Atomic<UInt32>(0)
            let deadline = Clock.now() + .seconds(60)
            while box.living.load(ordering: .acquiring) > 0, Clock.now() < deadline {
                Futex.wait(word, while: 0, timeout: .microseconds(50))
            }
            #expect(shared.current == .ended(until: 160, quits: true))
        }
    }

    private final class Box: Sendable {
        let shared: SharedLifetime
        let living = Atomic<Int>(3)

        init(shared: SharedLifetime) { self.shared = shared }

        func tell(_ event: Lifetime.Event) {
            shared.receive(event)
            living.subtract(1, ordering: .releasing)
        }
    }
}
