import Platform
import Synchronization

@testable import Transport

/// A disk that does nothing until it is told to go on.
final class StalledDisk: DiskJob {
    private let isOver = Atomic<UInt32>(0)

    /// - Parameter spool: whose disk it is. Nothing is under way on it yet.
    init(of spool: Spool) {
        spool.submit(self)
    }

    func run() {
        while isOver.load(ordering: .acquiring) == 0 { Futex.wait(isOver, while: 0) }
    }

    func goOn() {
        isOver.store(1, ordering: .releasing)
        Futex.wake(isOver)
    }
}
