/// While the server serves: whom to replace, whom to let go, whom to make.
extension Supervisor {
    /// How long the first worker of a server boots alone, in nanoseconds. Others that boot beside it would take the
    /// processors away from it, so that the first answer came later; and what fails at import is said by one.
    static let headStart: UInt64 = 1_000_000_000
    /// How long the first worker of a server serves alone, in nanoseconds. Its first requests are those that import and
    /// compile what an application has put off until then, and clients have waited for it; others that are forked and
    /// boot meanwhile would take the processors away from it.
    static let calm: UInt64 = 50_000_000
    /// How long a worker has to leave after SIGABRT, in nanoseconds.
    static let abortTimeout: UInt64 = 2_000_000_000
    /// How much longer than its graceful timeout a worker may take that was told to leave, in nanoseconds. It ends
    /// itself before that.
    static let patience: UInt64 = 5_000_000_000

    mutating func servingActions(at now: UInt64) -> [SupervisionAction] {
        let overdue = overdueActions(at: now)
        chooseMold()
        let dismissed = table.advance(to: .terminating, at: now, where: picker(dismissals()))
        var actions = news
        news = []
        // Before the workers close their copies: afterwards nobody would take what the kernel queues in ours.
        actions += roster.takeRetired(table).map { .retire(generation: $0) }
        actions += dismissed.map { isToBeMold($0) ? .promote(pid: $0) : .signal(pid: $0, .terminate) }
        actions += overdue
        if roster.takeRolledOut(table) { actions.append(.rolledOut(generation: roster.current.number)) }
        // Last, since a fork that fails ends the round.
        return actions + spawns(at: now)
    }

    var servingDeadline: UInt64? {
        var deadlines = table.workers.compactMap(Self.deadline)
        if let spawn = spawnTime { deadlines.append(spawn) }
        if !news.isEmpty { deadlines.append(0) }
        return deadlines.min()
    }

    // MARK: Patience

    /// When a worker's time is up, for what it does now or was asked; nil for never.
    private static func deadline(_ worker: WorkerProcess) -> UInt64? {
        switch worker.state {
        case .running:
            worker.isReady ? nil : worker.terms.bootTimeout.map { worker.spawnedAt.addingOrMax($0) }
        case .terminating, .quitting:
            worker.askedAt.addingOrMax(worker.terms.gracefulTimeout).addingOrMax(patience)
        case .aborting: worker.askedAt.addingOrMax(abortTimeout)
        case .killed: nil
        }
    }

    /// Insists where a worker takes too long to boot or to leave.
    private mutating func overdueActions(at now: UInt64) -> [SupervisionAction] {
        let isOverdue = { (worker: WorkerProcess) in Self.deadline(worker).map { now >= $0 } ?? false }
        let killed = table.advance(to: .killed, at: now) { $0.state > .running && isOverdue($0) }
        if table.workers.contains(where: { roster.isOfCandidate($0) && isOverdue($0) }) { abandon(.bootTimedOut) }
        let slow = table.workers.filter { $0.isBooting && isOverdue($0) }
        // As for any other that dies young: what hangs once may hang always.
        for worker in slow where worker.generation == roster.current.number {
            respawn.recordBootFailure(of: worker, at: now)
        }
        let aborted = table.advance(to: .aborting, at: now) { worker in slow.contains { $0.pid == worker.pid } }
        return killed.map { .signal(pid: $0, .kill) } + aborted.map { .signal(pid: $0, .abort) }
    }

    // MARK: Letting go

    private func picker(_ pids: [Int32]) -> (WorkerProcess) -> Bool {
        { pids.contains($0.pid) }
    }

    /// Who is told to leave now: whoever boots in vain, and the oldest of those who serve, stale ones first, as long as
    /// enough others serve.
    private func dismissals() -> [Int32] {
        var leaving = table.workers.filter(roster.isVain).map(\.pid)
        let wanted = roster.wanted
        let fresh = table.workers.filter(roster.isFresh)
        let stale = table.workers.filter(roster.isStale)
        var serving = fresh.count(where: \.isReady) + stale.count
        var surplus = fresh.count - wanted
        for worker in fresh.reversed() where surplus > 0 && !worker.isReady {
            leaving.append(worker.pid)
            surplus -= 1
        }
        for worker in stale where serving > wanted {
            leaving.append(worker.pid)
            serving -= 1
        }
        for worker in fresh where surplus > 0 && worker.isReady {
            leaving.append(worker.pid)
            surplus -= 1
        }
        return leaving
    }

    // MARK: Making

    private mutating func spawns(at now: UInt64) -> [SupervisionAction] {
        var generations: [Int] = []
        if let scout = neededScout { generations.append(scout) }
        if respawn.allowsSpawn(at: now), now >= calmEnd {
            let due = mayHurry(at: now) ? demand : min(demand, bootingAlone == nil ? 1 : 0)
            generations += Array(repeating: roster.current.number, count: due)
        }
        return generations.map { generation in
            lastAge += 1
            return .spawn(age: lastAge, generation: generation)
        }
    }

    /// Until when the workers that are missing are not forked, since those before them died early or could not be
    /// made; nil when none is missing, or nothing keeps them. It may be past.
    public var forksPausedUntil: UInt64? {
        guard isServing, demand > 0, respawn.notBefore > 0 else { return nil }
        return respawn.notBefore
    }

    /// When the next worker can be forked; nil when none is needed.
    private var spawnTime: UInt64? {
        if neededScout != nil { return 0 }
        guard demand > 0 else { return nil }
        let earliest = max(respawn.notBefore, calmEnd)
        guard !roster.current.hasServed, let first = bootingAlone else { return earliest }
        return max(earliest, first.spawnedAt.addingOrMax(Self.headStart))
    }

    /// Until when the first worker of the server is left alone, as long as it is there.
    private var calmEnd: UInt64 { table.workers.contains(where: \.isServing) ? calmUntil : 0 }

    /// The generation of the one worker that is to prove a reload, if it has to be forked. It waits for room, but not
    /// for the back-off of others: new code may be what ends their dying.
    private var neededScout: Int? {
        guard let candidate = roster.candidate, !table.workers.contains(where: roster.isOfCandidate),
            table.count + demand < limit
        else { return nil }
        return candidate.number
    }

    /// How many workers may exist at once.
    private var limit: Int {
        let terms = (roster.candidate ?? roster.current).terms
        return max(roster.wanted, roster.candidate?.terms.workers ?? 0) + terms.step
    }

    /// How many workers of the current configuration to fork, as soon as time allows. Those that are missing are forked
    /// however many are on their way out; those that are to replace others only as far as there is room.
    private var demand: Int {
        let fresh = table.workers.count(where: roster.isFresh)
        let stale = table.workers.count(where: roster.isStale)
        guard !roster.current.isBroken else { return 0 }
        let missing = max(0, roster.wanted - fresh - stale)
        // A reload that has not proved itself replaces nobody, and neither does the one before it meanwhile.
        guard roster.candidate == nil else { return missing }
        let room = max(0, limit - table.count - missing)
        return missing + min(room, max(0, roster.wanted - fresh - missing))
    }

    /// The oldest worker that boots.
    private var bootingAlone: WorkerProcess? {
        table.workers.first { $0.isBooting && $0.generation == roster.current.number }
    }

    private func mayHurry(at now: UInt64) -> Bool {
        guard !roster.current.hasServed else { return true }
        guard let first = bootingAlone else { return false }
        return now >= first.spawnedAt.addingOrMax(Self.headStart)
    }
}
