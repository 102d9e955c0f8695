/// A stop under way: who is asked to leave, how, and until when the master waits.
///
/// ```
///  graceful ──(stop quickly)──► quick
///     │ its time is over          │ its time is over
///     └────────────► killing ◄────┘
///                       │ every worker reaped, or its time is over
///                       ▼
///                    finished          (from any stage, once the last worker is reaped)
/// ```
struct Shutdown: Equatable, Sendable {
    enum Stage: Equatable, Sendable {
        case graceful(until: UInt64)
        case quick(until: UInt64)
        case killing(until: UInt64)
    }

    /// How long workers have after SIGQUIT, in nanoseconds: enough to run exit handlers, too short to finish a request.
    static let quickTimeout: UInt64 = 2_000_000_000
    /// How long the master waits for killed workers, in nanoseconds. The kernel needs time to take a large process
    /// down, and one that hangs in a device driver does not end at all; the master must not hang with it.
    static let killTimeout: UInt64 = 5_000_000_000

    /// The exit status of the master. The first cause decides: workers that fail one after the other, or that fail
    /// while they are told to stop, change nothing.
    let exitCode: Int32
    let reason: HaltReason?
    private(set) var stage: Stage

    /// - Parameter gracefulTimeout: nanoseconds that workers have to finish.
    init(gracefullyAt now: UInt64, gracefulTimeout: UInt64, exitCode: Int32 = 0, reason: HaltReason? = nil) {
        self.exitCode = exitCode
        self.reason = reason
        stage = .graceful(until: now.addingOrMax(gracefulTimeout))
    }

    init(quicklyAt now: UInt64, gracefulTimeout: UInt64) {
        exitCode = 0
        reason = nil
        stage = .quick(until: now.addingOrMax(min(Self.quickTimeout, gracefulTimeout)))
    }

    /// When the present stage ends by itself.
    var deadline: UInt64 {
        switch stage {
        case .graceful(let until), .quick(let until), .killing(let until): until
        }
    }

    /// Makes a graceful stop a quick one. It never lengthens the wait.
    mutating func hasten(at now: UInt64) {
        guard case .graceful(let until) = stage else { return }
        stage = .quick(until: min(until, now.addingOrMax(Self.quickTimeout)))
    }

    /// The signals that are due, each worker getting each of them once; `finish` when there is nobody left to wait for.
    mutating func actions(_ table: inout ProcessTable, at now: UInt64) -> [SupervisionAction] {
        if table.isEmpty { return [finish(abandoning: [])] }
        var actions: [SupervisionAction] = []
        // A stage is announced before its deadline is looked at, so that even with a timeout of zero a worker is asked
        // before it is killed.
        switch stage {
        case .graceful:
            actions += table.advance(to: .terminating, at: now).map { .signal(pid: $0, .terminate) }
        case .quick:
            actions += table.advance(to: .quitting, at: now).map { .signal(pid: $0, .quit) }
        case .killing(let until):
            return now >= until ? [finish(abandoning: table.pids)] : []
        }
        if now >= deadline {
            stage = .killing(until: now.addingOrMax(Self.killTimeout))
            actions += table.advance(to: .killed, at: now).map { .signal(pid: $0, .kill) }
        }
        return actions
    }

    private func finish(abandoning pids: [Int32]) -> SupervisionAction {
        .finish(exitCode: exitCode, reason: reason, abandoned: pids)
    }
}
