/// The policy of the master: given what happened and the time, what to do next. No fork, no signal, no clock in it.
///
/// The master feeds it events, carries out `actions(at:)` one after the other, and sleeps until `deadline` or the next
/// event. All times are nanoseconds of one monotonic clock.
public struct Supervisor: Sendable {
    enum Phase: Equatable, Sendable {
        case serving
        /// `announced` is false until the listeners were told to close.
        case stopping(Shutdown, announced: Bool)
        case finished
    }

    /// The workers that were forked and not yet reaped.
    public internal(set) var table = ProcessTable()

    var phase = Phase.serving
    var roster: Roster
    var respawn = RespawnPolicy()
    /// Until then the first worker of the server is left alone.
    var calmUntil: UInt64 = 0
    /// What became of reloads since `actions(at:)` was asked last.
    var news: [SupervisionAction] = []
    var lastAge = 0

    /// - Parameter first: what the configuration asks with which the server starts: generation 1.
    public init(_ first: Terms) {
        roster = Roster(first)
    }

    /// How many workers shall live.
    public var wanted: Int { roster.wanted }
    /// The number of the configuration that is in force.
    public var generation: Int { roster.current.number }
    /// A reload waits for its first worker to serve.
    public var isReloading: Bool { roster.candidate != nil }

    /// False from the first request or reason to stop.
    public var isServing: Bool { phase == .serving }

    /// Takes note of what happened.
    ///
    /// - Returns: for an event of one worker, that worker as it was; nil when the process was none of ours. Nil for
    ///   other events.
    @discardableResult
    public mutating func receive(_ event: SupervisionEvent, at now: UInt64) -> WorkerProcess? {
        switch event {
        case .workerSpawned(let pid, let age, let generation):
            let terms = roster.terms(of: generation)
            table.insert(WorkerProcess(pid: pid, age: age, generation: generation, terms: terms, spawnedAt: now))
        case .spawnFailed: respawn.recordSpawnFailure(at: now)
        case .workerReady(let pid): return noteReady(pid, at: now)
        case .workerWantsToLeave(let pid): return table.update(pid) { $0.wantsToLeave = true }
        case .workerOffersMold(let pid): return table.update(pid) { $0.offersMold = true }
        case .workerBecameMold(let pid): return noteMold(pid)
        case .workerSilent(let pid): return noteSilence(pid, at: now)
        case .workerHangs(let pid): return noteHang(pid, at: now)
        case .preloadFailed(let reason): if isServing { bootFailed(reason, at: now) }
        case .workerExited(let pid, let exit): return noteExit(pid, exit, at: now)
        case .reload(let generation, let terms): reload(Generation(number: generation, terms: terms))
        case .changeWorkers(let difference): roster.wanted = max(min(roster.wanted, 1), roster.wanted + difference)
        case .setWorkers(let count): roster.wanted = max(0, count)
        case .stopGracefully: begin(Shutdown(gracefullyAt: now, gracefulTimeout: gracefulTimeout))
        case .stopQuickly: stopQuickly(at: now)
        case .fail(let exitCode):
            begin(Shutdown(gracefullyAt: now, gracefulTimeout: gracefulTimeout, exitCode: exitCode))
        }
        return nil
    }

    /// What is due now. Each `spawn` must have been answered by an event before this is asked again; everything else is
    /// said once.
    public mutating func actions(at now: UInt64) -> [SupervisionAction] {
        switch phase {
        case .serving:
            return servingActions(at: now)
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
        case .serving: servingDeadline
        // What is not yet said is due at once, also where a hook ended the server in the middle of a round.
        case .stopping(let shutdown, let announced): announced ? shutdown.deadline : 0
        case .finished: nil
        }
    }

    // MARK: Stopping

    private var gracefulTimeout: UInt64 { roster.current.terms.gracefulTimeout }

    private mutating func stopQuickly(at now: UInt64) {
        if case .stopping(var shutdown, let announced) = phase {
            shutdown.hasten(at: now)
            phase = .stopping(shutdown, announced: announced)
        } else {
            begin(Shutdown(quicklyAt: now, gracefulTimeout: gracefulTimeout))
        }
    }

    /// A stop begins once; causes that come later find it under way and leave its exit status alone.
    private mutating func begin(_ shutdown: Shutdown) {
        guard case .serving = phase else { return }
        phase = .stopping(shutdown, announced: false)
    }

    // MARK: Reloading

    private mutating func reload(_ generation: Generation) {
        precondition(generation.number > (roster.candidate ?? roster.current).number, "generations have rising numbers")
        guard isServing else { return }
        if let former = roster.candidate { news.append(.abandon(generation: former.number, .superseded)) }
        roster.nominate(generation)
        // With no worker there is nobody who could prove it.
        if generation.terms.workers == 0 { adopt(generation) }
    }

    private mutating func adopt(_ generation: Generation) {
        roster.adoptCandidate()
        news.append(.adopt(generation: generation.number))
    }

    mutating func abandon(_ reason: AbandonReason) {
        guard let candidate = roster.candidate else { return }
        roster.dropCandidate()
        news.append(.abandon(generation: candidate.number, reason))
    }

    // MARK: Workers

    private mutating func noteReady(_ pid: Int32, at now: UInt64) -> WorkerProcess? {
        // One that was told to leave meanwhile will not serve.
        guard let worker = table.update(pid, { $0.isReady = $0.isReady || $0.state == .running }) else { return nil }
        guard isServing, worker.isServing else { return worker }
        if let candidate = roster.candidate, candidate.number == worker.generation { adopt(candidate) }
        guard worker.generation == roster.current.number else { return worker }
        if !roster.current.hasServed, !table.workers.contains(where: { $0.isServing && $0.pid != pid }) {
            calmUntil = now.addingOrMax(Self.calm)
        }
        roster.noteServing()
        return worker
    }

    /// It is told to say where it is, and killed when it does not even hear that. Said once.
    private mutating func noteSilence(_ pid: Int32, at now: UInt64) -> WorkerProcess? {
        guard isServing, let worker = table[pid], worker.state == .running else { return nil }
        news += table.advance(to: .aborting, at: now) { $0.pid == pid }.map { .signal(pid: $0, .abort) }
        return worker
    }

    /// Signals that Python would have to handle are of no use. Said once.
    private mutating func noteHang(_ pid: Int32, at now: UInt64) -> WorkerProcess? {
        guard isServing, let worker = table[pid], worker.state < .killed else { return nil }
        news += table.advance(to: .killed, at: now) { $0.pid == pid }.map { .signal(pid: $0, .kill) }
        return worker
    }

    private mutating func noteExit(_ pid: Int32, _ exit: WorkerExit, at now: UInt64) -> WorkerProcess? {
        guard let worker = table.remove(pid: pid) else { return nil }
        guard isServing, worker.state == .running else { return worker }
        if roster.isOfCandidate(worker) {
            abandon(.bootFailed(exit))
        } else if roster.isVain(worker) {
            // Nobody needs it replaced.
        } else if !worker.isReady, let reason = HaltReason(exit) {
            bootFailed(worker, reason, at: now)
        } else {
            respawn.recordDeath(of: worker, exit, at: now)
        }
        return worker
    }

    /// While others serve, code that does not boot any more is no reason to end them: its time may come again.
    private mutating func bootFailed(_ worker: WorkerProcess, _ reason: HaltReason, at now: UInt64) {
        if worker.terms.awaitsMending || !table.workers.contains(where: \.isServing) {
            guard worker.generation == roster.current.number else { return }
            return bootFailed(reason, at: now)
        }
        respawn.recordBootFailure(of: worker, at: now)
    }

    private mutating func bootFailed(_ reason: HaltReason, at now: UInt64) {
        guard roster.current.terms.awaitsMending else {
            let timeout = gracefulTimeout
            return begin(
                Shutdown(gracefullyAt: now, gracefulTimeout: timeout, exitCode: reason.exitCode, reason: reason))
        }
        // Those that boot beside it fail for the same reason; one word is enough.
        guard !roster.current.isBroken else { return }
        roster.noteBroken()
        news.append(.awaitMending(reason))
    }
}
