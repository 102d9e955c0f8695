import Testing

@testable import Supervision

/// `--reload`: code that does not boot is waited for until it is mended.
@Suite struct MendingTests {
    private static let terms = Terms(workers: 2, gracefulTimeout: 30 * second, awaitsMending: true)

    private static func broken(_ end: WorkerExit = .exited(code: 3)) -> FakeMaster {
        var master = FakeMaster(terms)
        master.step()
        master.exit(101, end)
        return master
    }

    @Test(arguments: [(3, .workerFailedToBoot), (4, .applicationFailedToLoad)] as [(Int32, HaltReason)])
    func aFirstStartThatFailsLeavesTheServerListening(_ code: Int32, _ reason: HaltReason) {
        var master = Self.broken(.exited(code: code))
        #expect(master.step() == [.awaitMending(reason)])
        #expect(master.supervisor.isServing && master.pids.isEmpty)
        #expect(master.wait == nil)
        #expect(master.step(after: 3600 * second) == [])
    }

    @Test func theNextReloadIsTriedAndAdopted() {
        var master = Self.broken()
        master.step()
        master.reload(Self.terms)
        #expect(master.step() == [.spawn(age: 2, generation: 2)])
        master.ready(102)
        #expect(master.step() == [.adopt(generation: 2), .retire(generation: 1)])
        #expect(master.step(after: Supervisor.calm) == [.spawn(age: 3, generation: 2)])
        master.ready(103)
        #expect(master.step() == [.rolledOut(generation: 2)])
        #expect(master.wait == nil)
    }

    @Test func aReloadThatFailsTooIsGivenUpAndNothingIsForked() {
        var master = Self.broken()
        master.step()
        master.reload(Self.terms)
        master.step()
        master.exit(102, .exited(code: 3))
        #expect(
            master.step() == [.abandon(generation: 2, .bootFailed(.exited(code: 3))), .retire(generation: 2)])
        #expect(master.step(after: 3600 * second) == [])
        #expect(master.supervisor.isServing && master.wait == nil)
    }

    @Test func thoseWhoFailBesideEachOtherSayItOnce() {
        var master = FakeMaster(Self.terms)
        master.step()
        master.step(after: Supervisor.headStart)
        #expect(master.pids == [101, 102])
        master.exit(101, .exited(code: 3))
        master.exit(102, .exited(code: 3))
        #expect(master.step() == [.awaitMending(.workerFailedToBoot)])
        #expect(master.wait == nil)
    }

    @Test func oneThatBootsAfterAllMendsIt() {
        var master = FakeMaster(Self.terms)
        master.step()
        master.step(after: Supervisor.headStart)
        master.exit(101, .exited(code: 3))
        master.step()
        master.ready(102)
        #expect(master.step(after: Supervisor.calm) == [.spawn(age: 3, generation: 1)])
    }

    @Test func whileOthersServeOneThatCannotBootIsNotTriedAgain() {
        var master = FakeMaster(Self.terms)
        master.step()
        master.boot()
        master.exit(101, .segmentationFault)
        #expect(master.step() == [.spawn(age: 3, generation: 1)])
        master.exit(103, .exited(code: 3))
        #expect(master.step() == [.awaitMending(.workerFailedToBoot)])
        #expect(master.pids == [102] && master.wait == nil)
    }
}
