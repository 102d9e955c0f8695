import Testing

@testable import Supervision

@Suite struct SupervisorTests {
    @Test func spawnsTheWantedNumberAndThenSleeps() {
        var master = FakeMaster(workers: 3)
        #expect(master.wait == 0)
        #expect(master.step() == [.spawn(age: 1, generation: 1)])
        #expect(master.wait == Supervisor.headStart)
        master.ready(101)
        #expect(master.step() == [])
        #expect(master.wait == Supervisor.calm)
        #expect(
            master.step(after: Supervisor.calm) == [.spawn(age: 2, generation: 1), .spawn(age: 3, generation: 1)])
        #expect(master.pids == [101, 102, 103])
        #expect(master.step(after: 1000 * second) == [])
        #expect(master.wait == nil)
    }

    @Test(
        arguments: [
            .exited(code: 0), .exited(code: 1), .exited(code: 255), .signaled(9), .signaled(11), .signaled(15),
        ] as [WorkerExit])
    func replacesAWorkerThatDiesAfterAWhileAtOnce(_ end: WorkerExit) {
        var master = FakeMaster.serving(2)
        master.now += 60 * second
        master.exit(101, end)
        #expect(master.supervisor.isServing)
        #expect(master.wait == 0)
        #expect(master.step() == [.spawn(age: 3, generation: 1)])
        #expect(master.pids == [102, 103])
    }

    @Test func tellsWhichWorkerItWas() {
        var master = FakeMaster(workers: 1)
        master.step()
        let worker = master.supervisor.receive(.workerExited(pid: 101, .exited(code: 0)), at: master.now)
        #expect(worker?.age == 1 && worker?.generation == 1 && worker?.state == .running)
        #expect(master.supervisor.receive(.workerExited(pid: 101, .exited(code: 0)), at: master.now) == nil)
    }

    @Test func aStrangerDecidesNothing() {
        // A master that is process 1 reaps orphans that it never forked.
        var master = FakeMaster(workers: 1)
        master.step()
        for end in [.exited(code: 3), .exited(code: 4), .signaled(11)] as [WorkerExit] {
            #expect(master.supervisor.receive(.workerExited(pid: 4242, end), at: master.now) == nil)
            #expect(master.supervisor.isServing)
            #expect(master.step() == [])
        }
    }

    @Test func workersThatDieAtOnceDoNotSpin() {
        var master = FakeMaster(workers: 2)
        var spawned = 0
        let end = master.now + 60 * second
        while master.now < end {
            spawned += master.step().count
            for pid in master.pids { master.exit(pid, .segmentationFault) }
            // What the master does: sleep until the policy wants to be asked.
            master.now += max(master.wait ?? 0, millisecond)
        }
        // One at a time, since none has ever served: 0, 0, 0.1, 0.2, … 3.2 s, then every 5 s.
        #expect(spawned > 10)
        #expect(spawned < 25)
    }

    @Test func theHealthySiblingsOfACrashingWorkerAreLeftAlone() {
        var master = FakeMaster.serving(3)
        master.now += 100 * second
        for _ in 0..<10 {
            guard let youngest = master.pids.last, master.pids.count == 3 else { break }
            master.exit(youngest, .segmentationFault)
            master.step()
            master.step(after: master.wait ?? 0)
        }
        #expect(Array(master.pids.prefix(2)) == [101, 102])
        #expect(master.pids.count == 3)
    }

    @Test func aFailedForkIsTriedAgainLater() {
        var supervisor = Supervisor(Terms(workers: 3, gracefulTimeout: second))
        #expect(supervisor.actions(at: second) == [.spawn(age: 1, generation: 1)])
        supervisor.receive(.workerSpawned(pid: 7, age: 1, generation: 1), at: second)
        supervisor.receive(.workerReady(pid: 7), at: second - Supervisor.calm)
        #expect(supervisor.actions(at: second) == [.spawn(age: 2, generation: 1), .spawn(age: 3, generation: 1)])
        supervisor.receive(.workerSpawned(pid: 8, age: 2, generation: 1), at: second)
        supervisor.receive(.spawnFailed, at: second)
        #expect(supervisor.actions(at: second) == [])
        #expect(supervisor.deadline == second + 100 * millisecond)
        // A number is never used twice.
        #expect(supervisor.actions(at: second + 100 * millisecond) == [.spawn(age: 4, generation: 1)])
    }
}
