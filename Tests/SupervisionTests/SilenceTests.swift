import Testing

@testable import Supervision

/// A worker that gives no sign of life is told to say where it is, then killed, and replaced.
@Suite struct SilenceTests {
    @Test func aSilentWorkerIsReplaced() {
        var supervisor = Supervisor(Terms(workers: 1, gracefulTimeout: 30))
        #expect(supervisor.actions(at: 1) == [.spawn(age: 1, generation: 1)])
        supervisor.receive(.workerSpawned(pid: 10, age: 1, generation: 1), at: 1)
        supervisor.receive(.workerReady(pid: 10), at: 2)
        _ = supervisor.actions(at: 2)
        #expect(supervisor.receive(.workerSilent(pid: 10), at: 3)?.pid == 10)
        #expect(supervisor.actions(at: 3).contains(.signal(pid: 10, .abort)))
        // Said once.
        #expect(supervisor.receive(.workerSilent(pid: 10), at: 4) == nil)
        let late = 3 + Supervisor.abortTimeout
        #expect(supervisor.actions(at: late).contains(.signal(pid: 10, .kill)))
        supervisor.receive(.workerExited(pid: 10, .signaled(9)), at: late + 1)
        #expect(supervisor.table.isEmpty)
    }

    @Test func strangersAndThoseWhoLeaveAreLeftAlone() {
        var supervisor = Supervisor(Terms(workers: 1, gracefulTimeout: 30))
        _ = supervisor.actions(at: 1)
        supervisor.receive(.workerSpawned(pid: 10, age: 1, generation: 1), at: 1)
        #expect(supervisor.receive(.workerSilent(pid: 11), at: 2) == nil)
        supervisor.receive(.stopGracefully, at: 3)
        #expect(supervisor.receive(.workerSilent(pid: 10), at: 4) == nil)
    }

    @Test func oneThatHangsIsKilledAtOnce() {
        var supervisor = Supervisor(Terms(workers: 1, gracefulTimeout: 30))
        _ = supervisor.actions(at: 1)
        supervisor.receive(.workerSpawned(pid: 10, age: 1, generation: 1), at: 1)
        supervisor.receive(.workerReady(pid: 10), at: 2)
        _ = supervisor.actions(at: 2)
        #expect(supervisor.receive(.workerHangs(pid: 11), at: 3) == nil)
        #expect(supervisor.receive(.workerHangs(pid: 10), at: 3)?.pid == 10)
        #expect(supervisor.actions(at: 3).first == .signal(pid: 10, .kill))
        // Said once.
        #expect(supervisor.receive(.workerHangs(pid: 10), at: 4) == nil)
        #expect(!supervisor.actions(at: 4).contains(.signal(pid: 10, .kill)))
        supervisor.receive(.workerExited(pid: 10, .signaled(9)), at: 5)
        #expect(supervisor.table.isEmpty)
    }

    @Test func oneThatWasToldToLeaveMayHangToo() {
        var supervisor = Supervisor(Terms(workers: 1, gracefulTimeout: 30))
        _ = supervisor.actions(at: 1)
        supervisor.receive(.workerSpawned(pid: 10, age: 1, generation: 1), at: 1)
        supervisor.receive(.workerReady(pid: 10), at: 2)
        supervisor.receive(.setWorkers(0), at: 3)
        #expect(supervisor.actions(at: 3) == [.signal(pid: 10, .terminate)])
        #expect(supervisor.receive(.workerHangs(pid: 10), at: 4)?.pid == 10)
        #expect(supervisor.actions(at: 4).first == .signal(pid: 10, .kill))
    }
}
