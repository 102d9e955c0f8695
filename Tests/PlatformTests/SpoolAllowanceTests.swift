import Testing

@testable import Platform

@Suite struct SpoolAllowanceTests {
    @Test func whatIsTakenIsBounded() throws {
        let allowance = try SpoolAllowance(limit: 100)
        allowance.join()
        #expect(allowance.hasRoom(for: 100) && !allowance.hasRoom(for: 101) && !allowance.hasRoom(for: .max))
        #expect(allowance.take(70))
        #expect(!allowance.take(31))
        #expect(allowance.take(30))
        #expect(allowance.used == 100)
        allowance.giveBack(50)
        #expect(allowance.used == 50)
        #expect(!allowance.hasRoom(for: .max))
    }

    @Test func anotherLimitIsForTheSameBytes() throws {
        let first = try SpoolAllowance(limit: 100)
        first.join()
        #expect(first.take(60))
        #expect(first.limited(to: nil).used == 60)
        #expect(!first.limited(to: 50).hasRoom(for: 1))
        #expect(first.limited(to: nil).hasRoom(for: .max))
    }

    /// What a worker had in files is gone with it.
    @Test func theDeadHaveNothing() throws {
        let first = try SpoolAllowance(limit: 100)
        var workers: [SpoolAllowance] = []
        for process in 1...3 {
            let worker = first.limited(to: 100)
            worker.join(as: process) { _ in false }
            #expect(worker.take(20))
            workers.append(worker)
        }
        #expect(first.used == 60)
        let replacement = first.limited(to: 100)
        replacement.join(as: 4) { $0 != 2 }
        #expect(first.used == 20, "the second worker's")
        #expect(replacement.take(80) && !replacement.take(1))
    }

    /// More workers than places share the last one.
    @Test func thereIsAPlaceForEverybody() throws {
        let first = try SpoolAllowance(limit: 1000)
        for process in 1...300 {
            let worker = first.limited(to: 1000)
            worker.join(as: process) { _ in false }
            #expect(worker.take(1))
        }
        #expect(first.used == 300)
    }

    @Test func aFileSystemSaysWhatItHas() throws {
        #expect(try #require(FileSystemSpace.freeBytes(in: "/tmp")) > 0)
        #expect(FileSystemSpace.freeBytes(in: "/nonexistent") == nil)
    }
}
