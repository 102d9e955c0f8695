internal import Platform
internal import Supervision

/// The master: binds, forks, reaps and signals as `Supervisor` decides. It has one thread and no clock of its own; it
/// sleeps until a signal or a message arrives, or the policy's next deadline.
public final class Arbiter {
    let host: ArbiterHost
    let processID = Process.id
    var supervisor: Supervisor
    /// The configuration in force, the one that wants to replace it, and those that have workers still.
    var generations: [Int: Generation]
    /// The number of the last configuration that was read.
    var lastGeneration = 1
    var pidFile: PidFile?
    /// What started this master and what it started itself, when one server replaces another (USR2).
    var succession = Succession()
    /// What the workers share; nil when the system gave nothing.
    var means: SharedMeans?
    var cells: Cells?
    /// Whether the last worker found no cell.
    var isShortOfCells = false
    /// The end of the last pause before a fork of which the log has told.
    var remarkedPause: Nanoseconds = 0
    /// When workers are looked after next.
    var nextLook: Nanoseconds = 0
    /// The files of the code, where they are watched (`--reload`).
    var reloadWatch: ReloadWatch?
    /// The processes that workers are forked from, by configuration (`--preload`, `--refork-after`).
    var molds: [Int: Mold] = [:]
    /// Where workers are ordered from them.
    var desk: MoldDesk?
    /// The configuration whose application is being loaded.
    var awaitedMold: Int?
    /// Molds that were ended and not yet reaped.
    var endedMolds: Set<ProcessID> = []
    /// Who is killed for want of memory.
    let outOfMemory = OutOfMemory()
    var kills: KillPolicy
    /// Whoever watches over the server.
    var service = Service()
    /// Which orders count that workers pass on.
    var orders = OrderPolicy()
    /// When the log hears again at the earliest that one did not.
    var nextOrderNotice: Nanoseconds = 0
    /// When logs were told to be reopened last.
    var logsReopenedAt: Nanoseconds = 0
    /// Workers that may still be asked where they hang in this round.
    var askingBudget = 0

    public init(_ configuration: ArbiterConfiguration, host: ArbiterHost) {
        self.host = host
        kills = KillPolicy(outOfMemory.kills)
        supervisor = Supervisor(configuration.terms)
        generations = [1: Generation(number: 1, configuration: configuration, listeners: [])]
    }

    /// The configuration in force.
    var current: Generation { generations[supervisor.generation]! }

    /// Runs the server. Returns in the master when it has stopped, and in each forked worker when it is to begin.
    ///
    /// Call it once, on the only thread of the process.
    public func run() -> ArbiterOutcome {
        let configuration = current.configuration
        host.log(.info, "Starting \(configuration.serverName)")
        let signals: SignalPipe
        let messages: MessageChannel
        do {
            signals = try SignalPipe(Self.handledSignals)
            messages = try MessageChannel()
            desk = try MoldDesk()
        } catch {
            host.log(.error, "Can't start: \(error)")
            return .exit(1)
        }
        makeMeans(configuration)
        succession = Succession(environment: Process.environment)
        do throws(ServiceVariableError) {
            service = try Service(allowedSilence: configuration.allowedSilence)
        } catch {
            host.log(.warning, "\(error)")
        }
        watchFiles(for: configuration)
        setTitle()
        guard makePidFile() else { return .exit(1) }
        tell(.workersChanged(new: supervisor.wanted, old: nil))
        guard attempt(.starting), bind(signals) else { return leave(1) }
        if supervisor.isServing {
            let urls = current.clientListeners.map(\.url).joined(separator: ",")
            host.log(.info, "Listening at: \(urls) (\(processID))")
            if let admin = current.adminListener { host.log(.info, "Answering the operator at: \(admin.url)") }
            host.log(.info, "Using worker: \(configuration.workerClass)")
            warnOfNoWorkers()
            guard attempt(.ready) else {
                closeListeners()
                return leave(1)
            }
        }
        if configuration.preloads, supervisor.wanted > 0 { awaitedMold = 1 }
        // What reading the configuration took is not to be copied to each worker by the first that writes there.
        ProcessMemory.giveBack()
        return loop(signals, messages)
    }

    private func loop(_ signals: SignalPipe, _ messages: MessageChannel) -> ArbiterOutcome {
        while true {
            takeSignals(signals)
            reap(signals)
            takeMessages(messages)
            checkPromotion()
            lookAtFiles()
            endSlowMolds()
            if let outcome = forkMold(signals, messages) { return outcome }
            lookAfterWorkers()
            if !supervisor.isServing { service.noteStop(successor: succession.successor) }
            // Until then its predecessor is the one that is watched.
            if !succession.isSuccessor { service.watch(lives: signsOfLife, wanted: supervisor.wanted) }
            if !isPreloading,
                let outcome = carryOut(supervisor.actions(at: Clock.now()), signals, messages)
            {
                return outcome
            }
            remarkOnPause()
            let deadlines = [
                isPreloading ? nil : supervisor.deadline, moldDeadline, succession.deadline(at: Clock.now()),
                succession.isSuccessor ? nil : service.deadline, lookDeadline, reloadWatch?.deadline,
            ]
            sleep(signals, until: deadlines.compactMap(\.self).min(), messages)
        }
    }

    /// Does what the policy says. Returns the outcome when this process is done being a master, by the end of the
    /// server or by being a child.
    private func carryOut(
        _ actions: [SupervisionAction], _ signals: SignalPipe, _ messages: MessageChannel
    ) -> ArbiterOutcome? {
        askingBudget = Self.mostAsked
        for action in actions {
            switch action {
            case .spawn(let age, let generation):
                switch spawn(age: age, generation: generation, signals, messages) {
                case .inMaster: continue
                // The others would fail as well; the policy asks for them again when it is time.
                case .failed: return nil
                case .inChild(let seat): return .worker(seat)
                }
            case .adopt(let generation): adopt(generation)
            case .abandon(let generation, let reason): report(abandoned: generation, reason)
            case .retire(let generation): retire(generation)
            case .awaitMending(let reason):
                host.log(.error, "\(reason.text) Listening, and waiting for a file to change.")
            case .rolledOut:
                host.log(.info, "The new configuration is in use by all workers.")
                service.noteReloaded("Serving with a new configuration")
            case .closeListeners: closeListeners(keepingAdmin: true)
            case .signal(let pid, let signal): send(signal, to: pid)
            case .promote(let pid): promote(pid)
            case .finish(let code, let reason, let abandoned):
                report(finish: code, reason, abandoned)
                return leave(code)
            }
        }
        return nil
    }

    /// Sleeps until a signal or a message arrives or `deadline`, in nanoseconds of the monotonic clock; nil for as long
    /// as it takes.
    func sleep(_ signals: SignalPipe, until deadline: Nanoseconds?, _ messages: MessageChannel? = nil) {
        let now = Clock.now()
        let limit = deadline.map { $0 > now ? $0 - now : 0 }
        let others = messages.map { [$0.receiving] + (reloadWatch?.descriptors ?? []) } ?? []
        if limit != 0 { host.blocking { signals.wait(nanoseconds: limit, others: others) } }
        if let code = host.checkPythonSignals() {
            supervisor.receive(.fail(exitCode: code), at: Clock.now())
        }
    }

    private func takeMessages(_ messages: MessageChannel) {
        // Bounded: a worker that says more than the master can read must not keep it from everything else.
        for _ in 0..<1000 {
            guard let bytes = messages.receive() else { return }
            guard let message = WorkerMessage(bytes) else { continue }
            switch message.kind {
            case .ready: noteReady(message.pid)
            case .preloaded: noteMold(message.pid)
            case .offersMold: supervisor.receive(.workerOffersMold(pid: message.pid), at: Clock.now())
            case .becameMold: noteRefork(message.pid)
            case .wantsToLeave:
                guard supervisor.receive(.workerWantsToLeave(pid: message.pid), at: Clock.now()) != nil else {
                    continue
                }
                let reason = String(decoding: message.payload, as: UTF8.self)
                host.log(.info, "Worker (pid:\(message.pid)) is to be replaced: \(reason)")
            case .order: takeOrder(message)
            case .hangs: noteHang(message)
            }
        }
    }

    private func noteReady(_ pid: ProcessID) {
        guard let worker = supervisor.receive(.workerReady(pid: pid), at: Clock.now()) else { return }
        host.log(.debug, "Worker (pid:\(pid)) is ready")
        // A successor becomes the main process when its predecessor says so.
        if !succession.isSuccessor { service.noteServing(processID, workers: supervisor.wanted) }
        // It was forked with the old files and could not be told.
        if worker.spawnedAt < logsReopenedAt { try? Process.send(.user1, to: pid) }
    }

    // MARK: The end

    private func report(finish code: Int32, _ reason: HaltReason?, _ abandoned: [ProcessID]) {
        for pid in abandoned {
            host.log(.error, "Worker (pid:\(pid)) does not end even after SIGKILL, leaving it behind.")
        }
        let level: LogLevel = code == 0 ? .info : .error
        host.log(level, "Shutting down: \(succession.masterName)")
        if let reason { host.log(level, "Reason: \(reason.text)") }
    }

    private func leave(_ code: Int32) -> ArbiterOutcome {
        closeListeners()
        for number in molds.keys { endMold(number) }
        // They were killed, which takes no time.
        for pid in endedMolds {
            _ = try? Process.wait(for: pid)
            tell(.moldExited(pid: pid))
        }
        pidFile?.remove()
        tell(.exiting)
        return .exit(code)
    }

    // MARK: Telling

    /// Tells what happens, and does what is asked for in return.
    ///
    /// - Returns: false when code of the user's failed, or asks for the end.
    @discardableResult
    func tell(_ event: ArbiterEvent) -> Bool {
        switch host.notify(event) {
        case .done: return true
        case .workers(let count):
            setWorkers { supervisor.receive(.setWorkers(count), at: Clock.now()) }
            return true
        case .halt(let code):
            supervisor.receive(.fail(exitCode: code), at: Clock.now())
            return false
        case .failed: return false
        }
    }

    /// Tells an event without whose success the server does not start.
    private func attempt(_ event: ArbiterEvent) -> Bool { tell(event) || !supervisor.isServing }

    /// Changes how many workers there shall be, and tells if that is another number then.
    func setWorkers(_ change: () -> Void) {
        let old = supervisor.wanted
        change()
        if supervisor.wanted != old { tell(.workersChanged(new: supervisor.wanted, old: old)) }
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
