import Testing

@testable import Supervision

@Suite struct ProcessTableTests {
    private func table(_ pids: Int32...) -> ProcessTable {
        var table = ProcessTable()
        for (index, pid) in pids.enumerated() {
            table.insert(WorkerProcess(pid: pid, age: index + 1, generation: 1, terms: .plain, spawnedAt: 0))
        }
        return table
    }

    @Test func listsTheOldestFirst() {
        #expect(table(30, 10, 20).pids == [30, 10, 20])
        #expect(table(30, 10, 20).count == 3)
        #expect(!table(30).isEmpty)
        #expect(ProcessTable().isEmpty)
    }

    @Test func findsByProcessID() {
        #expect(table(30, 10)[10]?.age == 2)
        #expect(table(30, 10)[11] == nil)
    }

    @Test func removesOnlyItsOwn() {
        var table = table(30, 10, 20)
        #expect(table.remove(pid: 99) == nil)
        #expect(table.remove(pid: 10)?.age == 2)
        #expect(table.remove(pid: 10) == nil)
        #expect(table.pids == [30, 20])
    }

    @Test func advancesEachWorkerOnceAndNeverBack() {
        var table = table(30, 10)
        #expect(table.advance(to: .terminating, at: 5) == [30, 10])
        #expect(table.advance(to: .terminating, at: 6) == [])
        #expect(table[30]?.askedAt == 5)
        #expect(table.advance(to: .killed, at: 7) == [30, 10])
        #expect(table.advance(to: .quitting, at: 8) == [])
        #expect(table[30]?.state == .killed)
        #expect(table[30]?.askedAt == 7)
    }

    @Test func advancesOnlyTheChosen() {
        var table = table(30, 10)
        #expect(table.advance(to: .terminating, at: 5) { $0.age == 2 } == [10])
        #expect(table[30]?.state == .running)
    }
}
