internal import Platform
internal import Supervision

/// The master: binds, forks, reaps and signals as `Supervisor` decides. It has one thread and no clock of its own; it
/// sleeps until a signal arrives or the policy's next deadline.
public final class Arbiter {
    let configuration: ArbiterConfiguration
    let host: ArbiterHost
    let processID = Process.id
    var supervisor: Supervisor
    var listeners: [ListeningSocket] = []

    public init(_ configuration: ArbiterConfiguration, host: ArbiterHost) {
        self.configuration = configuration
        self.host = host
        supervisor = Supervisor(workers: configuration.workers, gracefulTimeout: configuration.gracefulTimeout)
    }

    /// Runs the server. Returns in the master when it has stopped, and in each forked worker when it is to begin.
    ///
    /// Call it once, on the only thread of the process.
    public func run() -> ArbiterOutcome {
        host.log(.info, "Starting \(configuration.serverName)")
        let signals: SignalPipe
        do {
            signals = try SignalPipe(Self.handledSignals)
        } catch {
            host.log(.error, "Can't handle signals: \(error)")
            return .exit(1)
        }
        guard bind(signals) else { return .exit(1) }
        if supervisor.isServing {
            host.log(.info, "Listening at: \(listeners.map(\.url).joined(separator: ",")) (\(processID))")
            host.log(.info, "Using worker: \(configuration.workerClass)")
        }
        while true {
            takeSignals(signals)
            reap()
            if let outcome = carryOut(supervisor.actions(at: Clock.now()), signals) { return outcome }
            sleep(signals, until: supervisor.deadline)
        }
    }

    /// Does what the policy says. Returns the outcome when this process is done being a master, by the end of the
    /// server or by being a child.
    private func carryOut(_ actions: [SupervisionAction], _ signals: SignalPipe) -> ArbiterOutcome? {
        for action in actions {
            switch action {
            case .spawn(let age):
                switch spawn(age: age, signals) {
                case .inMaster: continue
                // The others would fail as well; the policy asks for them again when it is time.
                case .failed: return nil
                case .inChild(let seat): return .worker(seat)
                }
            case .closeListeners: closeListeners()
            case .signal(let pid, let signal): send(signal, to: pid)
            case .finish(let code, let reason, let abandoned):
                report(finish: code, reason, abandoned)
                return .exit(code)
            }
        }
        return nil
    }

    /// Sleeps until a signal arrives or `deadline`, in nanoseconds of the monotonic clock; nil for as long as it takes.
    func sleep(_ signals: SignalPipe, until deadline: Nanoseconds?) {
        let now = Clock.now()
        let limit = deadline.map { $0 > now ? $0 - now : 0 }
        if limit != 0 { host.blocking { signals.wait(nanoseconds: limit) } }
        if let code = host.checkPythonSignals() {
            supervisor.receive(.fail(exitCode: code), at: Clock.now())
        }
    }

    private func report(finish code: Int32, _ reason: HaltReason?, _ abandoned: [ProcessID]) {
        for pid in abandoned {
            host.log(.error, "Worker (pid:\(pid)) does not end even after SIGKILL, leaving it behind.")
        }
        let level: LogLevel = code == 0 ? .info : .error
        host.log(level, "Shutting down: Master")
        if let reason { host.log(level, "Reason: \(reason.text)") }
    }
}

extension HaltReason {
    fileprivate var text: String {
        switch self {
        case .workerFailedToBoot: "Worker failed to boot."
        case .applicationFailedToLoad: "App failed to load."
        }
    }
}
