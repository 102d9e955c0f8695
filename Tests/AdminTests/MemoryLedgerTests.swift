import Platform
import Testing

@testable import Admin

struct MemoryLedgerTests {
    private final class System {
        var asked: [ProcessID] = []
        var resident: UInt64 = 1000
    }

    @Test func theSystemIsAskedOnceASecond() {
        let system = System()
        var ledger = MemoryLedger { process in
            system.asked.append(process)
            return process == 9 ? nil : ProcessMemory(resident: system.resident)
        }
        let workers: [(cell: Int, process: ProcessID)] = [(0, 7), (3, 8), (4, 9)]
        let first = ledger.memory(of: workers, at: .seconds(100))
        #expect(first.map(\.cell) == [0, 3] && first.map(\.resident) == [1000, 1000])
        #expect(system.asked == [7, 8, 9])

        system.resident = 2000
        let soon = ledger.memory(of: workers, at: .seconds(100) + .milliseconds(999))
        #expect(soon.map(\.resident) == [1000, 1000])
        // One that is gone costs nothing but the question.
        #expect(system.asked == [7, 8, 9, 9])

        let later = ledger.memory(of: workers, at: .seconds(101))
        #expect(later.map(\.resident) == [2000, 2000])
        #expect(system.asked == [7, 8, 9, 9, 7, 8, 9])
    }

    /// Its number may be another process's next time.
    @Test func whoIsNoWorkerAnyMoreIsForgotten() {
        let system = System()
        var ledger = MemoryLedger { process in
            system.asked.append(process)
            return ProcessMemory(resident: 1)
        }
        _ = ledger.memory(of: [(0, 7)], at: .seconds(100))
        let nobody = ledger.memory(of: [], at: .seconds(100))
        #expect(nobody.isEmpty)
        _ = ledger.memory(of: [(0, 7)], at: .seconds(100))
        #expect(system.asked == [7, 7])
    }
}
