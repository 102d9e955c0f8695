@testable import Supervision

let millisecond: UInt64 = 1_000_000
let second: UInt64 = 1_000_000_000

/// A master without processes: it carries out what the policy asks on a list of process ids, and keeps the fake clock.
struct FakeMaster {
    var supervisor: Supervisor
    var now: UInt64
    /// The next process id that "fork" returns.
    var nextPID: Int32 = 101

    init(workers: Int, gracefulTimeout: UInt64 = 30 * second, startingAt now: UInt64 = 1000 * second) {
        supervisor = Supervisor(workers: workers, gracefulTimeout: gracefulTimeout)
        self.now = now
    }

    var pids: [Int32] { supervisor.table.pids }

    /// Asks the policy once and carries out its spawns.
    @discardableResult
    mutating func step() -> [SupervisionAction] {
        let actions = supervisor.actions(at: now)
        for case .spawn(let age) in actions {
            supervisor.receive(.workerSpawned(pid: nextPID, age: age), at: now)
            nextPID += 1
        }
        return actions
    }

    /// Lets time pass, then steps.
    @discardableResult
    mutating func step(after nanoseconds: UInt64) -> [SupervisionAction] {
        now += nanoseconds
        return step()
    }

    mutating func exit(_ pid: Int32, _ end: WorkerExit = .exited(code: 0)) {
        supervisor.receive(.workerExited(pid: pid, end), at: now)
    }

    /// Nanoseconds until the policy wants to be asked again; nil for never.
    var wait: UInt64? { supervisor.deadline.map { $0.subtractingOrZero(now) } }
}

extension WorkerExit {
    static let segmentationFault = WorkerExit.signaled(11)
}
