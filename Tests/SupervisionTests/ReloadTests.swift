import Testing

@testable import Supervision

@Suite struct ReloadTests {
    @Test func oneNewWorkerProvesTheConfigurationBeforeAnOldOneLeaves() {
        var master = FakeMaster.serving(2)
        master.reload(workers: 2)
        #expect(master.step() == [.spawn(age: 3, generation: 2)])
        #expect(master.step(after: 3600 * second) == [])
        #expect(master.supervisor.isReloading)
        master.ready(103)
        #expect(master.step() == [.adopt(generation: 2), .signal(pid: 101, .terminate)])
        // As many as allowed exist until the old one is gone.
        #expect(master.step(after: second) == [])
        master.exit(101)
        #expect(master.step() == [.spawn(age: 4, generation: 2)])
        master.ready(104)
        #expect(
            master.step() == [.retire(generation: 1), .signal(pid: 102, .terminate), .rolledOut(generation: 2)])
        master.exit(102)
        #expect(master.step() == [])
        #expect(master.pids == [103, 104])
        #expect(master.wait == nil)
    }

    @Test(arguments: 1...5)
    func theStepBoundsHowManyExistAtOnce(_ step: Int) {
        var master = FakeMaster.serving(4, step: step)
        master.reload(workers: 4, step: step)
        var most = 0
        for _ in 0..<40 {
            master.step()
            most = max(most, master.pids.count)
            if let pid = master.pids(where: { $0.state == .terminating }).first { master.exit(pid) }
            master.boot()
            most = max(most, master.pids.count)
            #expect(master.pids(where: \.isServing).count >= 4)
        }
        #expect(most == 4 + min(step, 4))
        #expect(master.supervisor.table.workers.allSatisfy { $0.generation == 2 })
    }

    @Test(arguments: [.exited(code: 3), .exited(code: 4), .exited(code: 0), .signaled(11)] as [WorkerExit])
    func aConfigurationWhoseFirstWorkerFailsIsGivenUp(_ end: WorkerExit) {
        var master = FakeMaster.serving(2)
        master.reload(workers: 4)
        master.step()
        master.exit(103, end)
        #expect(master.step() == [.abandon(generation: 2, .bootFailed(end)), .retire(generation: 2)])
        #expect(master.supervisor.isServing && !master.supervisor.isReloading)
        #expect(master.supervisor.wanted == 2 && master.supervisor.generation == 1)
        #expect(master.pids == [101, 102])
        #expect(master.wait == nil)
        // And the next one is as good as the first.
        master.reload(workers: 2)
        #expect(master.step() == [.spawn(age: 4, generation: 3)])
    }

    @Test func aFirstWorkerThatHangsIsGivenUpInTime() {
        var master = FakeMaster.serving(1)
        master.reload(workers: 1, bootTimeout: 10 * second)
        master.step()
        #expect(master.wait == 10 * second)
        #expect(
            master.step(after: 10 * second) == [
                .abandon(generation: 2, .bootTimedOut), .retire(generation: 2), .signal(pid: 102, .abort),
            ])
        #expect(master.step(after: Supervisor.abortTimeout) == [.signal(pid: 102, .kill)])
        master.exit(102, .signaled(9))
        #expect(master.step() == [])
        #expect(master.pids == [101])
    }

    @Test func aReloadTakesThePlaceOfOneThatHasNotProvedItself() {
        var master = FakeMaster.serving(1, step: 2)
        master.reload(workers: 1, step: 2)
        master.step()
        master.reload(workers: 1, step: 2)
        #expect(
            master.step() == [
                .abandon(generation: 2, .superseded), .retire(generation: 2), .signal(pid: 102, .terminate),
                .spawn(age: 3, generation: 3),
            ])
        // It comes to serve, too late.
        master.ready(102)
        #expect(master.step() == [])
        master.ready(103)
        #expect(
            master.step() == [
                .adopt(generation: 3), .retire(generation: 1), .signal(pid: 101, .terminate),
                .rolledOut(generation: 3),
            ])
    }

    @Test func oneThatServesJustAsItIsGivenUpLeaves() {
        var master = FakeMaster.serving(1)
        master.reload(workers: 1)
        master.step()
        master.reload(workers: 1)
        master.ready(102)
        #expect(
            master.step() == [
                .abandon(generation: 2, .superseded), .retire(generation: 2), .signal(pid: 102, .terminate),
            ])
    }

    @Test func aReloadInTheMiddleOfARollOutReplacesEveryOldWorker() {
        var master = FakeMaster.serving(3)
        master.reload(workers: 3)
        master.step()
        master.boot()
        master.reload(workers: 3)
        for _ in 0..<20 {
            master.step()
            if let pid = master.pids(where: { $0.state == .terminating }).first { master.exit(pid) }
            master.boot()
            #expect(master.pids(where: \.isServing).count >= 3)
            #expect(master.pids.count <= 4)
        }
        #expect(master.supervisor.table.workers.map(\.generation) == [3, 3, 3])
    }

    @Test func aWorkerThatFailsLaterInTheRollOutHoldsItUpAndNoMore() {
        var master = FakeMaster.serving(2)
        master.reload(workers: 2)
        master.step()
        master.ready(103)
        master.step()
        master.exit(101)
        master.step()
        master.exit(104, .exited(code: 3))
        #expect(master.supervisor.isServing)
        #expect(master.wait == 100 * millisecond)
        #expect(master.step(after: 100 * millisecond) == [.spawn(age: 5, generation: 2)])
        #expect(master.pids(where: \.isServing) == [102, 103])
    }

    @Test func fewerAndMoreWorkers() {
        var master = FakeMaster.serving(3)
        master.reload(workers: 1)
        master.step()
        master.ready(104)
        let actions = master.step()
        #expect(
            actions == [
                .adopt(generation: 2), .retire(generation: 1), .signal(pid: 101, .terminate),
                .signal(pid: 102, .terminate), .signal(pid: 103, .terminate), .rolledOut(generation: 2),
            ])
        for pid: Int32 in [101, 102, 103] { master.exit(pid) }
        master.reload(workers: 4)
        master.step()
        master.boot()
        for _ in 0..<5 {
            if let pid = master.pids(where: { $0.state == .terminating }).first { master.exit(pid) }
            master.step()
            master.boot()
        }
        #expect(master.supervisor.table.workers.map(\.generation) == [3, 3, 3, 3])
    }

    @Test func noWorkerAtAllNeedsNoProof() {
        var master = FakeMaster.serving(1)
        master.reload(workers: 0)
        #expect(
            master.step() == [
                .adopt(generation: 2), .retire(generation: 1), .signal(pid: 101, .terminate),
                .rolledOut(generation: 2),
            ])
    }

    @Test func theFirstWorkerDoesNotWaitForTheBackOffOfOthers() {
        var master = FakeMaster.serving(1)
        for _ in 0..<4 {
            master.exit(master.pids[0], .segmentationFault)
            master.step(after: master.wait ?? 0)
        }
        master.exit(master.pids[0], .segmentationFault)
        #expect(master.step() == [])
        master.reload(workers: 1)
        #expect(master.step() == [.spawn(age: 6, generation: 2)])
    }

    @Test func aRequestToStopEndsAReload() {
        var master = FakeMaster.serving(1)
        master.reload(workers: 1)
        master.step()
        master.supervisor.receive(.stopGracefully, at: master.now)
        #expect(
            master.step() == [
                .closeListeners, .signal(pid: 101, .terminate), .signal(pid: 102, .terminate),
            ])
        master.exit(102, .exited(code: 3))
        master.exit(101)
        #expect(master.step() == [.finish(exitCode: 0, reason: nil, abandoned: [])])
    }

    @Test func aReloadDuringAStopIsIgnored() {
        var master = FakeMaster.serving(1)
        master.supervisor.receive(.stopGracefully, at: master.now)
        master.step()
        master.reload(workers: 3)
        #expect(master.step() == [])
    }
}
