internal import Platform
internal import Supervision

extension Arbiter {
    enum SpawnResult {
        case inMaster
        case failed
        case inChild(WorkerSeat)
    }

    /// Forks one worker.
    func spawn(age: Int, generation number: Int, _ signals: SignalPipe, _ messages: MessageChannel) -> SpawnResult {
        guard let generation = generations[number] else {
            preconditionFailure("a worker for a generation that is gone")
        }
        if let result = order(age: age, generation: number) { return result }
        guard tell(.willFork(age: age, generation: number)) else { return spawnFailed(age, number) }
        let cell = assignCell(generation: number)
        var made: WorkerSeat?
        let result: ForkResult
        do throws(SystemError) {
            result = try fork(signals) {
                messages.receiving.close()
                let seat = WorkerSeat(
                    generation: number, parentID: processID, listeners: generation.clientListeners,
                    admin: generation.adminListener,
                    shared: means.flatMap { means in cell.map { (means, $0) } }, reports: reloadWatch?.reportDescriptor,
                    channel: messages, desk: desk)
                closeOthers(than: number)
                follow(seat)
                made = seat
            }
        } catch {
            cells?.note(cell, of: nil)
            host.log(.error, "Can't start a worker: \(error)")
            return spawnFailed(age, number)
        }
        if case .parent(let child) = result {
            cells?.note(cell, of: child)
            supervisor.receive(.workerSpawned(pid: child, age: age, generation: number), at: Clock.now())
            tell(.forked(pid: child, age: age, generation: number))
        }
        guard let made else { return .inMaster }
        Process.setTitle("monoceros: worker [\(generation.configuration.processName)]")
        return .inChild(made)
    }

    func spawnFailed(_ age: Int, _ generation: Int) -> SpawnResult {
        supervisor.receive(.spawnFailed, at: Clock.now())
        tell(.forked(pid: nil, age: age, generation: generation))
        return .failed
    }

    /// In the child: closes the sockets that other configurations have.
    func closeOthers(than number: Int) {
        let own = Set(generations[number]?.listeners.map(\.socket.descriptor) ?? [])
        let all = Set(generations.values.flatMap(\.listeners).map(\.socket.descriptor))
        for descriptor in all.subtracting(own) { descriptor.close() }
    }

    /// In the child: sees to it that no worker outlives its master, even one that is killed.
    func follow(_ seat: WorkerSeat) {
        do throws(SystemError) {
            // Nobody is left to serve for. Nothing of Python has run in this process yet that would need an exit.
            guard try seat.followMaster() else { Process.exitImmediately(0) }
        } catch {
            // Only an invalid signal number is refused. Workers also watch their parent's id, a little later.
        }
    }

    /// Collects the workers that have ended and tells the policy and the log.
    ///
    /// Each is asked for by its id: children of the user's own code, a subprocess started in a hook for one, are left
    /// to those who wait for them.
    func reap(_ signals: SignalPipe) {
        // Who ends meanwhile may have been asked for already, and the signal that tells of it is taken below.
        while reapOnce(signals) {}
    }

    /// - Returns: whether another child may have ended in the meantime.
    private func reapOnce(_ signals: SignalPipe) -> Bool {
        var ends: [(ProcessID, ExitStatus?)] = []
        for pid in supervisor.table.pids + [succession.successor].compactMap(\.self) + molds.values.map(\.pid)
            + endedMolds
        {
            do {
                if let status = try Process.reap(pid) { ends.append((pid, status)) }
            } catch {
                // Somebody else has collected it, so that nobody will ever tell how it ended.
                host.log(.warning, "Worker (pid:\(pid)) is gone, its exit status was taken by other code: \(error)")
                ends.append((pid, nil))
            }
        }
        // Process 1 inherits the orphans of the whole container, and nobody else can collect them.
        while processID == 1, let (pid, status) = Process.reapAny() { ends.append((pid, status)) }
        guard !ends.isEmpty else { return false }
        // A terminal's Ctrl-C goes to all at once: what the master was told comes before what the workers made of it.
        let mayBeMore = takeSignals(signals)
        for (pid, status) in ends { ended(pid, status ?? .exited(code: 0)) }
        return mayBeMore
    }

    private func ended(_ pid: ProcessID, _ status: ExitStatus) {
        if pid == succession.successor { return successorEnded(status) }
        if moldEnded(pid, status) { return }
        let wasServing = supervisor.isServing
        guard let worker = supervisor.receive(.workerExited(pid: pid, WorkerExit(status)), at: Clock.now()) else {
            return host.log(.debug, "Reaped unknown child process (pid:\(pid))")
        }
        // Before the cell is the next worker's: what it counted says why the worker ended.
        let cause = end(of: worker, status)
        cells?.retire(pid, cause)
        log(worker, status, wasServing: wasServing)
        let failed = !worker.isReady && HaltReason(WorkerExit(status)) != nil
        tell(.workerExited(pid: pid, didBoot: !failed))
    }

    private func log(_ worker: WorkerProcess, _ status: ExitStatus, wasServing: Bool) {
        let pid = worker.pid
        switch status {
        case .exited(code: 0): break
        case .exited(let code):
            // Why it failed, it has said itself, and one is enough to end the server.
            let level: LogLevel = wasServing && worker.state == .running ? .error : .debug
            host.log(level, "Worker (pid:\(pid)) exited with code \(code).")
        case .signaled(.kill, _) where worker.state == .killed:
            host.log(.warning, "Worker (pid:\(pid)) was sent SIGKILL! It did not stop in time.")
        case .signaled(.kill, _):
            host.log(.error, "Worker (pid:\(pid)) was sent SIGKILL! \(causeOfKill())")
        // What it was told to do, or what a terminal told everybody.
        case .signaled(let signal, _) where worker.state > .running || !wasServing && signal.asksToLeave:
            host.log(.debug, "Worker (pid:\(pid)) was sent \(signal)")
        case .signaled(.terminate, _):
            host.log(.info, "Worker (pid:\(pid)) was sent SIGTERM!")
        case .signaled(let signal, let coreDumped):
            host.log(.warning, "Worker (pid:\(pid)) was sent \(signal)!\(coreDumped ? " Core dumped." : "")")
        }
    }

    func send(_ signal: WorkerSignal, to pid: ProcessID) {
        if signal == .abort, let worker = supervisor.table[pid], !worker.isReady {
            let seconds = (Clock.now() - worker.spawnedAt) / 1_000_000_000
            host.log(.critical, "WORKER TIMEOUT (pid:\(pid)): it has been booting for \(seconds) s")
        }
        if signal == .kill { sayWhere(pid) }
        do {
            try Process.send(Signal(signal), to: pid)
        } catch {
            // It cannot be gone before it is reaped. Another user's process is what a worker becomes that changed its
            // user under a master without privileges.
            host.log(.error, "Can't signal worker (pid:\(pid)): \(error)")
        }
    }
}

extension WorkerExit {
    fileprivate init(_ status: ExitStatus) {
        self =
            switch status {
            case .exited(let code): .exited(code: code)
            case .signaled(let signal, _): .signaled(signal.rawValue)
            }
    }
}

extension Signal {
    fileprivate init(_ signal: WorkerSignal) {
        self =
            switch signal {
            case .terminate: .terminate
            case .quit: .quit
            case .abort: .abort
            case .kill: .kill
            }
    }

    fileprivate var asksToLeave: Bool { [.terminate, .interrupt, .quit].contains(self) }
}
