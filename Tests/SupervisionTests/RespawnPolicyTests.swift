import Testing

@testable import Supervision

@Suite struct RespawnPolicyTests {
    private let start: UInt64 = 500 * second

    private func worker(spawnedAt: UInt64) -> WorkerProcess {
        WorkerProcess(pid: 1, age: 1, generation: 1, terms: .plain, spawnedAt: spawnedAt)
    }

    @Test func allowsTheFirstSpawnAtOnce() {
        #expect(RespawnPolicy().allowsSpawn(at: 0))
    }

    @Test func aLateDeathNeverWaits() {
        var policy = RespawnPolicy()
        for round in 1...20 {
            let now = start + UInt64(round) * RespawnPolicy.earlyDeath
            policy.recordDeath(of: worker(spawnedAt: now - RespawnPolicy.earlyDeath), .segmentationFault, at: now)
            #expect(policy.allowsSpawn(at: now))
        }
    }

    @Test func earlyDeathsInARowDoubleTheWaitUpToTheLongest() {
        var policy = RespawnPolicy()
        var now = start
        var waits: [UInt64] = []
        for _ in 0..<80 {
            policy.recordDeath(of: worker(spawnedAt: now), .segmentationFault, at: now)
            waits.append(policy.notBefore.subtractingOrZero(now))
            now = max(now, policy.notBefore)
            #expect(policy.allowsSpawn(at: now))
        }
        #expect(waits.prefix(9).map { $0 / millisecond } == [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
        #expect(waits.dropFirst(9).allSatisfy { $0 == RespawnPolicy.longestDelay })
    }

    @Test func theWaitEndsAtItsTimeAndNotBefore() {
        var policy = RespawnPolicy()
        policy.recordDeath(of: worker(spawnedAt: start), .exited(code: 1), at: start)
        policy.recordDeath(of: worker(spawnedAt: start), .exited(code: 1), at: start)
        #expect(!policy.allowsSpawn(at: start + 100 * millisecond - 1))
        #expect(policy.allowsSpawn(at: start + 100 * millisecond))
    }

    @Test func siblingsThatDieTogetherCountOnce() {
        var policy = RespawnPolicy()
        for offset in 0..<8 as Range<UInt64> {
            let now = start + second + offset * millisecond
            policy.recordDeath(of: worker(spawnedAt: start), .signaled(9), at: now)
            #expect(policy.allowsSpawn(at: now))
        }
        // Their replacements die early as well: the second strike.
        let now = start + second + 100 * millisecond
        policy.recordDeath(of: worker(spawnedAt: now), .signaled(9), at: now)
        #expect(policy.notBefore == now + 100 * millisecond)
    }

    @Test func anEarlyDeathLongAfterTheLastIsAnAccidentAgain() {
        var policy = RespawnPolicy()
        for _ in 0..<5 { policy.recordDeath(of: worker(spawnedAt: start), .segmentationFault, at: start) }
        let later = start + RespawnPolicy.forgetAfter + 1
        policy.recordDeath(of: worker(spawnedAt: later), .segmentationFault, at: later)
        #expect(policy.allowsSpawn(at: later))
    }

    @Test func aSteadyLoopAtTheLongestWaitIsNotForgotten() {
        #expect(RespawnPolicy.forgetAfter > RespawnPolicy.longestDelay + RespawnPolicy.earlyDeath)
    }

    @Test func aWorkerThatLeavesByItselfEarlyWaitsBrieflyAndTheWaitDoesNotGrow() {
        var policy = RespawnPolicy()
        var now = start
        for _ in 0..<30 {
            policy.recordDeath(of: worker(spawnedAt: now), .exited(code: 0), at: now)
            #expect(policy.notBefore == now + RespawnPolicy.firstDelay)
            now = policy.notBefore
        }
    }

    @Test func aFailedForkAlwaysWaits() {
        var policy = RespawnPolicy()
        policy.recordSpawnFailure(at: start)
        #expect(policy.notBefore == start + 100 * millisecond)
        policy.recordSpawnFailure(at: start + 100 * millisecond)
        policy.recordSpawnFailure(at: start + 200 * millisecond)
        #expect(policy.notBefore == start + 400 * millisecond)
    }

    @Test func aFailedBootWaitsHoweverLongItTook() {
        var policy = RespawnPolicy()
        let late = start + 60 * second
        policy.recordBootFailure(of: worker(spawnedAt: start), at: late)
        #expect(policy.notBefore == late + 100 * millisecond)
    }

    @Test func aClockAtItsEndDoesNotTrap() {
        var policy = RespawnPolicy()
        for _ in 0..<3 { policy.recordDeath(of: worker(spawnedAt: .max), .segmentationFault, at: .max) }
        policy.recordDeath(of: worker(spawnedAt: .max), .segmentationFault, at: 0)
        #expect(policy.notBefore == .max)
    }
}
