@testable import Supervision

let millisecond: UInt64 = 1_000_000
let second: UInt64 = 1_000_000_000

/// A master without processes: it carries out what the policy asks on a list of process ids, and keeps the fake clock.
struct FakeMaster {
    var supervisor: Supervisor
    var now: UInt64
    /// The next process id that "fork" returns.
    var nextPID: Int32 = 101
    /// The number of the last configuration.
    var generation = 1

    init(_ terms: Terms, startingAt now: UInt64 = 1000 * second) {
        supervisor = Supervisor(terms)
        self.now = now
    }

    init(workers: Int, gracefulTimeout: UInt64 = 30 * second, step: Int = 1) {
        self.init(Terms(workers: workers, step: step, gracefulTimeout: gracefulTimeout))
    }

    /// A master whose workers all serve, and have done for a moment.
    static func serving(_ workers: Int, gracefulTimeout: UInt64 = 30 * second, step: Int = 1) -> FakeMaster {
        var master = FakeMaster(workers: workers, gracefulTimeout: gracefulTimeout, step: step)
        master.step()
        master.boot()
        master.now += Supervisor.calm
        return master
    }

    var pids: [Int32] { supervisor.table.pids }

    func pids(where chosen: (WorkerProcess) -> Bool) -> [Int32] {
        supervisor.table.workers.filter(chosen).map(\.pid)
    }

    /// Asks the policy once and carries out its spawns.
    @discardableResult
    mutating func step() -> [SupervisionAction] {
        let actions = supervisor.actions(at: now)
        for case .spawn(let age, let generation) in actions {
            supervisor.receive(.workerSpawned(pid: nextPID, age: age, generation: generation), at: now)
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

    /// Has every worker say that it serves, and those that are forked thereupon, until nobody boots.
    mutating func boot() {
        while let pid = pids(where: \.isBooting).first {
            ready(pid)
            step(after: min(wait ?? 0, Supervisor.calm))
        }
    }

    mutating func ready(_ pid: Int32) { supervisor.receive(.workerReady(pid: pid), at: now) }

    mutating func exit(_ pid: Int32, _ end: WorkerExit = .exited(code: 0)) {
        supervisor.receive(.workerExited(pid: pid, end), at: now)
    }

    mutating func reload(workers: Int, step: Int = 1, bootTimeout: UInt64? = nil) {
        reload(Terms(workers: workers, step: step, gracefulTimeout: 30 * second, bootTimeout: bootTimeout))
    }

    mutating func reload(_ terms: Terms) {
        generation += 1
        supervisor.receive(.reload(generation: generation, terms), at: now)
    }

    /// Nanoseconds until the policy wants to be asked again; nil for never.
    var wait: UInt64? { supervisor.deadline.map { $0.subtractingOrZero(now) } }
}

extension Terms {
    static let plain = Terms(workers: 1, gracefulTimeout: 30 * second)
}

extension WorkerExit {
    static let segmentationFault = WorkerExit.signaled(11)
}
