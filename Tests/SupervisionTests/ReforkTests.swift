import Testing

@testable import Supervision

/// Workers that become what the next ones are forked from.
@Suite struct ReforkTests {
    /// One that has offered itself, has a replacement, and was told to.
    private func promoted(_ workers: Int = 2) -> FakeMaster {
        var master = FakeMaster.serving(workers)
        master.offer(101)
        master.step()
        master.boot()
        return master
    }

    @Test func itServesUntilItsReplacementDoes() {
        var master = FakeMaster.serving(2)
        master.offer(102)
        #expect(master.step() == [.spawn(age: 3, generation: 1)])
        #expect(master.step(after: 3600 * second) == [])
        master.ready(103)
        #expect(master.step() == [.promote(pid: 102)])
        #expect(master.step() == [])
    }

    @Test func oneAtATime() {
        var master = FakeMaster.serving(3)
        for pid in master.pids { master.offer(pid) }
        #expect(master.step() == [.spawn(age: 4, generation: 1)])
        master.ready(104)
        #expect(master.step() == [.promote(pid: 101)])
        #expect(master.step() == [])
        // It comes to nothing: the next is asked.
        master.exit(101)
        #expect(master.step() == [.spawn(age: 5, generation: 1)])
        master.ready(105)
        #expect(master.step() == [.promote(pid: 102)])
    }

    @Test func theOthersAreReplacedOneByOne() {
        var master = promoted(3)
        #expect(master.pids == [101, 102, 103, 104])
        #expect(master.became(101) != nil)
        #expect(master.pids == [102, 103, 104])
        var left: [Int32] = []
        for _ in 0..<20 {
            for case .signal(let pid, .terminate) in master.step() { left.append(pid) }
            #expect(master.pids.count <= 4)
            #expect(master.pids(where: \.isServing).count >= 3)
            if let pid = master.pids(where: { $0.state == .terminating }).first { master.exit(pid) }
            if let pid = master.pids(where: \.isBooting).first { master.ready(pid) }
        }
        #expect(left == [102, 103, 104])
        #expect(master.pids == [105, 106, 107])
        #expect(master.wait == nil)
    }

    @Test func aColdOneThatBootsIsNotWaitedFor() {
        var master = promoted()
        master.exit(102, .segmentationFault)
        #expect(master.step() == [.spawn(age: 4, generation: 1)])
        _ = master.became(101)
        let actions = master.step()
        #expect(actions.contains(.signal(pid: 104, .terminate)))
        #expect(actions.contains(.spawn(age: 5, generation: 1)))
    }

    @Test func whatWasNotPromotedIsNone() {
        var master = FakeMaster.serving(2)
        #expect(master.became(101) == nil)
        master.offer(101)
        master.step()
        #expect(master.became(101) == nil)
        #expect(master.became(999) == nil)
        #expect(master.pids == [101, 102, 103])
    }

    @Test func aReloadThatHasToProveItselfChoosesNobody() {
        var master = FakeMaster.serving(1)
        master.reload(workers: 1)
        master.offer(101)
        #expect(master.step() == [.spawn(age: 2, generation: 2)])
        master.ready(102)
        // And the old code has no use for one.
        #expect(
            master.step() == [
                .adopt(generation: 2), .retire(generation: 1), .signal(pid: 101, .terminate), .rolledOut(generation: 2),
            ])
    }

    @Test func oldCodeThatWasChosenLeavesWithTheReload() {
        var master = FakeMaster.serving(1)
        master.offer(101)
        master.step()
        master.reload(workers: 1)
        master.exit(102, .segmentationFault)
        master.step()
        while let pid = master.pids(where: \.isBooting).first {
            master.ready(pid)
            let actions = master.step()
            #expect(!actions.contains(.promote(pid: 101)))
        }
        #expect(master.pids(where: { $0.state == .terminating }).contains(101))
    }

    @Test func aMoldOfOldCodeReplacesNobody() {
        var master = promoted(1)
        master.reload(workers: 1)
        master.step()
        master.ready(103)
        master.step()
        #expect(master.became(101)?.generation == 1)
        #expect(master.pids(where: { $0.wantsToLeave && $0.generation == 2 }).isEmpty)
    }

    @Test func inAStopItIsNoWorkerAnyMore() {
        var master = promoted(1)
        master.supervisor.receive(.stopGracefully, at: master.now)
        master.step()
        #expect(master.became(101) != nil)
        #expect(master.pids == [102])
    }

    @Test func oneThatTakesTooLongIsKilled() {
        var master = promoted(1)
        #expect(master.wait == 30 * second + Supervisor.patience)
        #expect(master.step(after: 30 * second + Supervisor.patience) == [.signal(pid: 101, .kill)])
    }
}

extension FakeMaster {
    fileprivate mutating func offer(_ pid: Int32) { supervisor.receive(.workerOffersMold(pid: pid), at: now) }
    fileprivate mutating func became(_ pid: Int32) -> WorkerProcess? {
        supervisor.receive(.workerBecameMold(pid: pid), at: now)
    }
}
