import Platform
import Synchronization
import Testing

@Suite struct FutexTests {
    final class Word: Sendable {
        let value = Atomic<UInt32>(0)
        let arrived = Atomic<Bool>(false)
    }

    @Test func returnsAtOnceWhenTheWordDiffers() {
        let word = Atomic<UInt32>(1)
        Futex.wait(word, while: 0)
        let value = word.load(ordering: .relaxed)
        #expect(value == 1)
    }

    @Test func returnsAfterTheTimeout() {
        let word = Atomic<UInt32>(0)
        let start = Clock.now()
        while Clock.now() - start < .milliseconds(5) { Futex.wait(word, while: 0, timeout: .milliseconds(5)) }
        #expect(Clock.now() - start >= .milliseconds(5))
    }

    @Test func anotherThreadWakesTheSleeper() throws {
        let word = Word()
        try Thread.start(name: "sleeper") {
            while word.value.load(ordering: .acquiring) == 0 { Futex.wait(word.value, while: 0) }
            word.arrived.store(true, ordering: .releasing)
        }
        word.value.store(1, ordering: .releasing)
        Futex.wake(word.value)
        let deadline = Clock.now() + .seconds(10)
        while !word.arrived.load(ordering: .acquiring), Clock.now() < deadline {
            Futex.wait(word.value, while: 1, timeout: .milliseconds(1))
        }
        let arrived = word.arrived.load(ordering: .acquiring)
        #expect(arrived)
    }
}
