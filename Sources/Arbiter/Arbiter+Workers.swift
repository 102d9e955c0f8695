internal import Platform
internal import Supervision

extension Arbiter {
    enum SpawnResult {
        case inMaster
        case failed
        case inChild(WorkerSeat)
    }

    /// Forks one worker.
    func spawn(age: Int, _ signals: SignalPipe) -> SpawnResult {
        host.beforeFork()
        // Held back from here until the child has put its handlers away: a signal to the young child would otherwise
        // run the master's handler and end up in the master's pipe.
        let mask = SignalMask.blockAll()
        let result: ForkResult
        do {
            result = try Process.fork()
        } catch {
            mask.restore()
            host.afterForkInParent()
            supervisor.receive(.spawnFailed, at: Clock.now())
            host.log(.error, "Can't start a worker: \(error)")
            return .failed
        }
        switch result {
        case .parent(let child):
            mask.restore()
            host.afterForkInParent()
            supervisor.receive(.workerSpawned(pid: child, age: age), at: Clock.now())
            return .inMaster
        case .child:
            signals.abandonInChild()
            followMaster()
            mask.restore()
            host.afterForkInChild()
            host.log(.info, "Booting worker with pid: \(Process.id)")
            return .inChild(WorkerSeat(parentID: processID, listeners: listeners))
        }
    }

    /// In the child: sees to it that no worker outlives its master, even one that is killed.
    ///
    /// SIGTERM, because the master's death is not the clients' fault: requests that were begun are finished, and the
    /// listening sockets are closed at once, which frees the address for the next master. A worker that still boots has
    /// the default action and ends on the spot, without the core dump that SIGQUIT would leave. There is no master to
    /// insist, so a worker that drains must put a limit to it by itself.
    private func followMaster() {
        do {
            guard try Process.requestSignalOnParentDeath(.terminate, parent: processID) else {
                // Nobody is left to serve for. Nothing of Python has run in this process yet that would need an exit.
                Process.exitImmediately(0)
            }
        } catch {
            // Only an invalid signal number is refused. Workers also watch their parent's id, a little later.
            host.log(.warning, "Can't watch the master: \(error)")
        }
    }

    /// Collects the workers that have ended and tells the policy and the log.
    ///
    /// Each is asked for by its id: children of the user's own code, a subprocess started in a hook for one, are left
    /// to those who wait for them.
    func reap() {
        for pid in supervisor.table.pids {
            do {
                guard let status = try Process.reap(pid) else { continue }
                ended(pid, status)
            } catch {
                // Somebody else has collected it, so that nobody will ever tell how it ended.
                host.log(.warning, "Worker (pid:\(pid)) is gone, its exit status was taken by other code: \(error)")
                supervisor.receive(.workerExited(pid: pid, .exited(code: 0)), at: Clock.now())
            }
        }
        // Process 1 inherits the orphans of the whole container, and nobody else can collect them.
        guard processID == 1 else { return }
        while let (pid, status) = Process.reapAny() {
            if supervisor.table[pid] != nil {
                ended(pid, status)
            } else {
                host.log(.debug, "Reaped unknown child process (pid:\(pid))")
            }
        }
    }

    private func ended(_ pid: ProcessID, _ status: ExitStatus) {
        let worker = supervisor.receive(.workerExited(pid: pid, WorkerExit(status)), at: Clock.now())
        let state = worker?.state ?? .running
        switch status {
        case .exited(code: 0): break
        case .exited(let code): host.log(.error, "Worker (pid:\(pid)) exited with code \(code).")
        case .signaled(.kill, _) where state == .killed:
            host.log(.warning, "Worker (pid:\(pid)) was sent SIGKILL! It did not stop in time.")
        case .signaled(.kill, _):
            host.log(.error, "Worker (pid:\(pid)) was sent SIGKILL! Perhaps out of memory?")
        case .signaled(.terminate, _):
            host.log(.info, "Worker (pid:\(pid)) was sent SIGTERM!")
        case .signaled(let signal, let coreDumped):
            host.log(.warning, "Worker (pid:\(pid)) was sent \(signal)!\(coreDumped ? " Core dumped." : "")")
        }
    }

    func send(_ signal: WorkerSignal, to pid: ProcessID) {
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
            case .kill: .kill
            }
    }
}
