import Testing

@testable import Supervision

@Suite struct SupervisorTests {
    @Test func spawnsTheWantedNumberAndThenSleeps() {
        var master = FakeMaster(workers: 3)
        #expect(master.wait == 0)
        #expect(master.step() == [.spawn(age: 1), .spawn(age: 2), .spawn(age: 3)])
        #expect(master.pids == [101, 102, 103])
        #expect(master.step(after: 1000 * second) == [])
        #expect(master.wait == nil)
    }

    @Test(
        arguments: [
            .exited(code: 0), .exited(code: 1), .exited(code: 255), .signaled(9), .signaled(11), .signaled(15),
        ] as [WorkerExit])
    func replacesAWorkerThatDiesAfterAWhileAtOnce(_ end: WorkerExit) {
        var master = FakeMaster(workers: 2)
        master.step()
        master.now += 60 * second
        master.exit(101, end)
        #expect(master.supervisor.isServing)
        #expect(master.wait == 0)
        #expect(master.step() == [.spawn(age: 3)])
        #expect(master.pids == [102, 103])
    }

    @Test func tellsWhichWorkerItWas() {
        var master = FakeMaster(workers: 1)
        master.step()
        let worker = master.supervisor.receive(.workerExited(pid: 101, .exited(code: 0)), at: master.now)
        #expect(worker == WorkerProcess(pid: 101, age: 1, spawnedAt: master.now))
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
        // Two at a time: 0, 0, 0.1, 0.2, … 3.2 s, then every 5 s.
        #expect(spawned > 20)
        #expect(spawned < 50)
    }

    @Test func theHealthySiblingsOfACrashingWorkerAreLeftAlone() {
        var master = FakeMaster(workers: 3)
        master.step()
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
        var supervisor = Supervisor(workers: 2, gracefulTimeout: second)
        #expect(supervisor.actions(at: second) == [.spawn(age: 1), .spawn(age: 2)])
        supervisor.receive(.workerSpawned(pid: 7, age: 1), at: second)
        supervisor.receive(.spawnFailed, at: second)
        #expect(supervisor.actions(at: second) == [])
        #expect(supervisor.deadline == second + 100 * millisecond)
        // A number is never used twice.
        #expect(supervisor.actions(at: second + 100 * millisecond) == [.spawn(age: 3)])
    }

    /// Drives the policy with seeded random events and holds it to what must always be true.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func holdsItsInvariantsUnderRandomEvents(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        let wanted = Int(random.next() % 6)
        var master = FakeMaster(workers: wanted, gracefulTimeout: random.next() % (40 * second))
        var signals: [Int32: [WorkerSignal]] = [:]
        var finishes = 0
        var stopRequested = false
        for _ in 0..<300 {
            for action in master.step() {
                switch action {
                case .spawn: #expect(!stopRequested)
                case .closeListeners: #expect(signals.isEmpty)
                case .signal(let pid, let signal):
                    #expect(master.pids.contains(pid))
                    #expect(signals[pid, default: []].contains(signal) == false)
                    signals[pid, default: []].append(signal)
                case .finish(_, _, let abandoned):
                    finishes += 1
                    #expect(abandoned == master.pids)
                }
            }
            #expect(master.pids.count <= wanted)
            switch random.next() % 40 {
            case 0: master.supervisor.receive(.stopGracefully, at: master.now)
            case 1: master.supervisor.receive(.stopQuickly, at: master.now)
            case 2...14:
                guard let pid = master.pids.randomElement(using: &random) else { break }
                let codes: [WorkerExit] = [.exited(code: 0), .exited(code: 1), .signaled(11), .exited(code: 3)]
                // Code 3 is rare, or every run would be over after a few events.
                master.exit(pid, codes[Int(random.next() % (random.next() % 10 == 0 ? 4 : 3))])
            case 15...20: master.now += master.wait ?? second
            default: master.now += random.next() % second
            }
            stopRequested = !master.supervisor.isServing
        }
        #expect(finishes <= 1)
        // Whatever happened, a quick stop ends it: ask, wait, kill, wait.
        master.supervisor.receive(.stopQuickly, at: master.now)
        for _ in 0..<4 {
            for case .finish in master.step() { finishes += 1 }
            master.now += master.wait ?? 0
        }
        #expect(finishes == 1)
    }
}

/// A small seeded generator (SplitMix64), so that a failing seed can be run again.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
