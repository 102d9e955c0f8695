/// The policy of the master: given what happened and the time, what to do next. No fork, no signal, no clock in it.
///
/// The master feeds it events, carries out `actions(at:)` one after the other, and sleeps until `deadline` or the next
/// event. All times are nanoseconds of one monotonic clock.
public struct Supervisor: Sendable {
    private enum Phase: Sendable {
        case serving
        /// `announced` is false until the listeners were told to close.
        case stopping(Shutdown, announced: Bool)
        case finished
    }

    /// How many workers shall live.
    public let wanted: Int
    /// Nanoseconds that workers have to finish in a graceful stop.
    public let gracefulTimeout: UInt64
    /// The workers that were forked and not yet reaped.
    public private(set) var table = ProcessTable()

    private var phase = Phase.serving
    private var respawn = RespawnPolicy()
    private var lastAge = 0

    public init(workers: Int, gracefulTimeout: UInt64) {
        precondition(workers >= 0)
        wanted = workers
        self.gracefulTimeout = gracefulTimeout
    }

    /// False from the first request or reason to stop.
    public var isServing: Bool {
        if case .serving = phase { true } else { false }
    }

    /// Takes note of what happened.
    ///
    /// - Returns: for `workerExited`, the worker it was; nil when the process was none of ours. Nil for other events.
    @discardableResult
    public mutating func receive(_ event: SupervisionEvent, at now: UInt64) -> WorkerProcess? {
        switch event {
        case .workerSpawned(let pid, let age):
            table.insert(WorkerProcess(pid: pid, age: age, spawnedAt: now))
        case .spawnFailed:
            respawn.recordSpawnFailure(at: now)
        case .workerExited(let pid, let exit):
            guard let worker = table.remove(pid: pid) else { return nil }
            if let reason = HaltReason(exit) {
                begin(
                    Shutdown(
                        gracefullyAt: now, gracefulTimeout: gracefulTimeout, exitCode: reason.exitCode, reason: reason))
            } else if worker.state == .running {
                respawn.recordDeath(of: worker, exit, at: now)
            }
            return worker
        case .stopGracefully:
            begin(Shutdown(gracefullyAt: now, gracefulTimeout: gracefulTimeout))
        case .stopQuickly:
            if case .stopping(var shutdown, let announced) = phase {
                shutdown.hasten(at: now)
                phase = .stopping(shutdown, announced: announced)
            } else {
                begin(Shutdown(quicklyAt: now, gracefulTimeout: gracefulTimeout))
            }
        case .fail(let exitCode):
            begin(Shutdown(gracefullyAt: now, gracefulTimeout: gracefulTimeout, exitCode: exitCode))
        }
        return nil
    }

    /// A stop begins once; causes that come later find it under way and leave its exit status alone.
    private mutating func begin(_ shutdown: Shutdown) {
        guard case .serving = phase else { return }
        phase = .stopping(shutdown, announced: false)
    }

    /// What is due now. Each `spawn` must have been answered by an event before this is asked again; everything else is
    /// said once.
    public mutating func actions(at now: UInt64) -> [SupervisionAction] {
        switch phase {
        case .serving:
            guard table.count < wanted, respawn.allowsSpawn(at: now) else { return [] }
            return (table.count..<wanted).map { _ in
                lastAge += 1
                return .spawn(age: lastAge)
            }
        case .stopping(var shutdown, let announced):
            let due = shutdown.actions(&table, at: now)
            if case .finish = due.last { phase = .finished } else { phase = .stopping(shutdown, announced: true) }
            return announced ? due : [.closeListeners] + due
        case .finished:
            return []
        }
    }

    /// When `actions(at:)` will have something to say although nothing happens; nil when only an event can change that.
    public var deadline: UInt64? {
        switch phase {
        case .serving: table.count < wanted ? respawn.notBefore : nil
        case .stopping(let shutdown, _): shutdown.deadline
        case .finished: nil
        }
    }
}
