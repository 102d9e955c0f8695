import Platform
import Synchronization
import Testing

@Suite struct ThreadTests {
    /// A thread that does something until it is told to end.
    private final class Busy: Sendable {
        let id = Atomic<Int32>(0)
        let goesOn = Atomic<UInt32>(1)

        init(sleeps: Bool) throws {
            try Thread.start(name: "a) R (b") { [self] in
                id.store(Thread.currentID, ordering: .releasing)
                while goesOn.load(ordering: .acquiring) == 1 {
                    if sleeps { Futex.wait(goesOn, while: 1, timeout: .seconds(60)) }
                }
                id.store(-1, ordering: .releasing)
            }
            while id.load(ordering: .acquiring) == 0 {}
        }

        var number: Int32 { id.load(ordering: .acquiring) }

        func end() {
            goesOn.store(0, ordering: .releasing)
            Futex.wake(goesOn)
            while number != -1 {}
        }
    }

    @Test func aThreadThatComputesIsRunnableAndUsesTheCPU() throws {
        let busy = try Busy(sleeps: false)
        defer { busy.end() }
        let before = try #require(Thread.cpuTime(of: busy.number))
        // Whatever else the machine does, it gets there.
        while try #require(Thread.cpuTime(of: busy.number)) < before + .milliseconds(1) {
            #expect(Thread.isRunnable(busy.number))
        }
    }

    @Test func aThreadThatSleepsIsNotRunnable() throws {
        let busy = try Busy(sleeps: true)
        defer { busy.end() }
        // On its way there it may have to wait for something else: it sleeps when it does so for a while.
        var before = try #require(Thread.cpuTime(of: busy.number))
        var looks = 0
        let deadline = Clock.now() + .seconds(30)
        while looks < 1000, Clock.now() < deadline {
            let now = try #require(Thread.cpuTime(of: busy.number))
            looks = Thread.isRunnable(busy.number) || now != before ? 0 : looks + 1
            before = now
        }
        #expect(looks == 1000)
    }

    @Test func thoseThatRunAreTold() throws {
        let busy = try Busy(sleeps: true)
        let number = busy.number
        #expect(Thread.started.contains(number))
        #expect(!Thread.started.contains(Process.id))
        busy.end()
        while Thread.started.contains(number) {}
    }

    @Test func ofAThreadThatDoesNotExistNothingIsKnown() {
        // Of another process, if of any.
        #expect(Thread.cpuTime(of: 1) == nil)
        #expect(!Thread.isRunnable(1))
    }
}
