import Testing

@testable import Supervision

/// Workers that come and go while one configuration stays.
@Suite struct ReplacementTests {
    // MARK: Their number

    @Test func oneMoreAndOneLess() {
        var master = FakeMaster.serving(2)
        master.supervisor.receive(.changeWorkers(by: 1), at: master.now)
        #expect(master.step() == [.spawn(age: 3, generation: 1)])
        master.boot()
        master.supervisor.receive(.changeWorkers(by: -1), at: master.now)
        #expect(master.step() == [.signal(pid: 101, .terminate)])
        #expect(master.supervisor.wanted == 2)
    }

    @Test func oneWorkerIsLeft() {
        var master = FakeMaster.serving(2)
        for _ in 0..<50 { master.supervisor.receive(.changeWorkers(by: -1), at: master.now) }
        #expect(master.step() == [.signal(pid: 101, .terminate)])
        #expect(master.supervisor.wanted == 1)
    }

    @Test func noneIsAskedForByNumberAlone() {
        var master = FakeMaster.serving(2)
        master.supervisor.receive(.setWorkers(0), at: master.now)
        #expect(master.step() == [.signal(pid: 101, .terminate), .signal(pid: 102, .terminate)])
        master.supervisor.receive(.changeWorkers(by: -1), at: master.now)
        #expect(master.supervisor.wanted == 0)
        master.supervisor.receive(.changeWorkers(by: 1), at: master.now)
        #expect(master.step() == [.spawn(age: 3, generation: 1)])
    }

    @Test func aPauseBeforeTheNextForkIsKnown() {
        var master = FakeMaster.serving(2)
        #expect(master.supervisor.forksPausedUntil == nil)
        master.exit(101, .signaled(9))
        #expect(master.supervisor.forksPausedUntil == nil, "the first death is an accident")
        master.step()
        master.exit(103, .signaled(9))
        #expect(master.supervisor.forksPausedUntil == master.now + RespawnPolicy.firstDelay)
        master.supervisor.receive(.setWorkers(1), at: master.now)
        #expect(master.supervisor.forksPausedUntil == nil, "nobody is missing")
        master.supervisor.receive(.stopGracefully, at: master.now)
        #expect(master.supervisor.forksPausedUntil == nil)
    }

    @Test func fiftyChangesAtOnceAreOne() {
        var master = FakeMaster.serving(2)
        for turn in 0..<50 {
            master.supervisor.receive(.changeWorkers(by: turn.isMultiple(of: 2) ? 1 : -1), at: master.now)
        }
        #expect(master.step() == [])
        #expect(master.pids == [101, 102])
    }

    @Test func oneThatStillBootsGoesBeforeOneThatServes() {
        var master = FakeMaster.serving(1)
        master.supervisor.receive(.changeWorkers(by: 1), at: master.now)
        master.step()
        master.supervisor.receive(.changeWorkers(by: -1), at: master.now)
        #expect(master.step() == [.signal(pid: 102, .terminate)])
    }

    @Test func aDismissedWorkerThatDoesNotLeaveIsKilled() {
        var master = FakeMaster.serving(2)
        master.supervisor.receive(.changeWorkers(by: -1), at: master.now)
        master.step()
        #expect(master.wait == 30 * second + Supervisor.patience)
        #expect(master.step(after: 30 * second + Supervisor.patience) == [.signal(pid: 101, .kill)])
        #expect(master.wait == nil)
        master.exit(101, .signaled(9))
        #expect(master.step() == [])
    }

    // MARK: Recycling

    @Test func aWorkerThatWantsToLeaveServesUntilItsReplacementDoes() {
        var master = FakeMaster.serving(1)
        master.supervisor.receive(.workerWantsToLeave(pid: 101), at: master.now)
        #expect(master.step() == [.spawn(age: 2, generation: 1)])
        #expect(master.step(after: 3600 * second) == [])
        master.ready(102)
        #expect(master.step() == [.signal(pid: 101, .terminate)])
        master.exit(101)
        #expect(master.step() == [])
    }

    @Test func noMoreThanTheStepAreReplacedAtOnce() {
        var master = FakeMaster.serving(4)
        for pid in master.pids { master.supervisor.receive(.workerWantsToLeave(pid: pid), at: master.now) }
        for _ in 0..<20 {
            master.step()
            #expect(master.pids.count <= 5)
            #expect(master.pids(where: \.isServing).count >= 4)
            if let pid = master.pids(where: { $0.state == .terminating }).first { master.exit(pid) }
            if let pid = master.pids(where: \.isBooting).first { master.ready(pid) }
        }
        #expect(master.pids == [105, 106, 107, 108])
    }

    @Test func oneThatLeavesWithoutBeingToldIsReplacedAtOnce() {
        var master = FakeMaster.serving(1)
        master.now += 60 * second
        master.supervisor.receive(.workerWantsToLeave(pid: 101), at: master.now)
        master.exit(101)
        #expect(master.step() == [.spawn(age: 2, generation: 1)])
    }

    // MARK: Booting

    @Test func theFirstBootsAloneForAMoment() {
        var master = FakeMaster(workers: 3)
        #expect(master.step() == [.spawn(age: 1, generation: 1)])
        #expect(master.step(after: Supervisor.headStart - 1) == [])
        #expect(master.step(after: 1) == [.spawn(age: 2, generation: 1), .spawn(age: 3, generation: 1)])
    }

    @Test func theFirstServesAloneForAMoment() {
        var master = FakeMaster(workers: 3)
        master.step()
        master.now += 200 * millisecond
        master.ready(101)
        #expect(master.step(after: Supervisor.calm - 1) == [])
        #expect(master.step(after: 1) == [.spawn(age: 2, generation: 1), .spawn(age: 3, generation: 1)])
    }

    @Test func oneThatDiesInThatMomentIsReplacedAtOnce() {
        var master = FakeMaster(workers: 1)
        master.step()
        master.ready(101)
        master.exit(101, .segmentationFault)
        #expect(master.wait == 0)
        #expect(master.step() == [.spawn(age: 2, generation: 1)])
    }

    @Test func whoeverComesWhileOthersServeIsNotLeftAlone() {
        var master = FakeMaster.serving(2)
        master.now += 60 * second
        // The first of new code: the others of it follow at once.
        master.reload(workers: 3)
        #expect(master.step() == [.spawn(age: 3, generation: 2)])
        master.ready(103)
        #expect(master.step().contains(.spawn(age: 4, generation: 2)))
        // Nor is a replacement.
        master.boot()
        for pid in master.pids(where: { $0.state != .running }) { master.exit(pid) }
        let count = master.supervisor.table.count
        master.exit(master.pids[0], .segmentationFault)
        #expect(master.wait == 0)
        master.step()
        #expect(master.supervisor.table.count == count)
    }

    @Test func codeThatDoesNotBootAnyMoreDoesNotEndThoseWhoServe() {
        var master = FakeMaster.serving(2)
        master.now += 60 * second
        master.exit(102, .segmentationFault)
        master.step()
        for _ in 0..<5 {
            master.exit(master.pids[1], .exited(code: 3))
            #expect(master.supervisor.isServing)
            #expect(master.step() == [])
            master.step(after: master.wait ?? 0)
        }
        // Until the last of them is gone.
        master.exit(101, .segmentationFault)
        master.step()
        master.exit(master.pids[0], .exited(code: 3))
        #expect(!master.supervisor.isServing)
    }

    @Test func aWorkerThatServedAndLeavesWithAReservedCodeIsReplaced() {
        var master = FakeMaster.serving(1)
        master.now += 60 * second
        master.exit(101, .exited(code: 3))
        #expect(master.step() == [.spawn(age: 2, generation: 1)])
    }

    @Test func aBootThatHangsIsAbortedKilledAndTriedAgain() {
        var master = FakeMaster(Terms(workers: 1, gracefulTimeout: second, bootTimeout: 5 * second))
        master.step()
        #expect(master.wait == 5 * second)
        // The others are forked when it is aborted: none of them boots beside it.
        #expect(master.step(after: 5 * second) == [.signal(pid: 101, .abort)])
        let again = master.step(after: 100 * millisecond)
        #expect(again == [.spawn(age: 2, generation: 1)])
        #expect(master.step(after: Supervisor.abortTimeout - 100 * millisecond) == [.signal(pid: 101, .kill)])
        #expect(master.supervisor.isServing)
    }
}
