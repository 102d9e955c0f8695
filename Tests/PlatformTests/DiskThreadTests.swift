import Platform
import Synchronization
import Testing

@Suite struct DiskThreadTests {
    private final class Job: DiskJob {
        private let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        func run() { body() }
    }

    @Test func jobsRunInOrderOnAnotherThread() {
        let disk = DiskThread()
        #expect(disk.isIdle)
        let ran = Lock<[Int]>([])
        let here = Thread.currentID
        let elsewhere = Atomic<Bool>(true)
        for number in 0..<1000 {
            disk.submit(
                Job {
                    if Thread.currentID == here { elsewhere.store(false, ordering: .relaxed) }
                    ran.withLock { $0.append(number) }
                })
        }
        disk.stop()
        #expect(ran.withLock { $0 } == Array(0..<1000))
        let wasElsewhere = elsewhere.load(ordering: .relaxed)
        #expect(wasElsewhere)
        #expect(disk.isIdle)
    }

    @Test func oneThatNeverStartedStopsAtOnce() { DiskThread().stop() }

    /// The last user of a file may end after the thread.
    @Test(arguments: [false, true])
    func whatComesAfterTheEndIsDoneAtOnce(hasStarted: Bool) {
        let disk = DiskThread()
        let ran = Lock<[Int]>([])
        if hasStarted { disk.submit(Job { ran.withLock { $0.append(1) } }) }
        disk.stop()
        disk.submit(Job { ran.withLock { $0.append(2) } })
        #expect(ran.withLock { $0 } == (hasStarted ? [1, 2] : [2]))
        #expect(disk.isIdle)
    }

    /// Jobs of many threads, and jobs that submit others, as the last user of a file does.
    @Test func nothingIsLost() throws {
        let disk = DiskThread()
        let count = Atomic<Int>(0)
        let submitters = Atomic<Int>(4)
        let done = Atomic<UInt32>(0)
        for _ in 0..<4 {
            try Thread.start(name: "submitter") {
                for _ in 0..<2000 {
                    disk.submit(
                        Job {
                            count.add(1, ordering: .relaxed)
                            disk.submit(Job { count.add(1, ordering: .relaxed) })
                        })
                }
                if submitters.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
                    done.store(1, ordering: .releasing)
                    Futex.wake(done)
                }
            }
        }
        while done.load(ordering: .acquiring) == 0 { Futex.wait(done, while: 0) }
        disk.stop()
        let total = count.load(ordering: .relaxed)
        #expect(total == 16_000)
    }
}
