internal import Platform
internal import Supervision

/// The application is loaded once, and workers are forked from the process that did (`--preload`).
extension Arbiter {
    /// Whether nothing is to be forked yet: the application is loaded for the first workers.
    var isPreloading: Bool {
        supervisor.isServing && supervisor.table.isEmpty && awaitedMold == supervisor.generation
    }

    /// When a mold must have loaded its application; nil for no time.
    var moldDeadline: Nanoseconds? { molds.values.filter { !$0.isReady }.compactMap(\.deadline).min() }

    /// Forks the mold that is needed next.
    ///
    /// - Returns: in a worker that was forked from it, what to do; nil in the master.
    func forkMold(_ signals: SignalPipe, _ messages: MessageChannel) -> ArbiterOutcome? {
        guard supervisor.isServing, let number = neededMold, let generation = generations[number] else { return nil }
        guard tell(.willPreload(generation: number)) else {
            moldFailed(number, "it could not be made", nil)
            return nil
        }
        let result: ForkResult
        do throws(SystemError) {
            result = try fork(signals) {
                messages.receiving.close()
                closeOthers(than: number)
                if let isThere = try? Process.requestSignalOnParentDeath(.kill, parent: processID), !isThere {
                    Process.exitImmediately(0)
                }
            }
        } catch {
            tell(.didForkMold)
            moldFailed(number, "it could not be made: \(error)", nil)
            return nil
        }
        switch result {
        case .parent(let child):
            tell(.didForkMold)
            molds[number] = Mold(
                pid: child, deadline: generation.configuration.terms.bootTimeout.map { Clock.now() + $0 })
            return nil
        case .child:
            Process.setTitle("monoceros: mold [\(generation.configuration.processName)]")
            if let status = host.preload(reloadWatch?.reportDescriptor) { Process.exitImmediately(status) }
            return .worker(serveOrders(number, messages, saying: .preloaded))
        }
    }

    private var neededMold: Int? { awaitedMold.flatMap { molds[$0] == nil ? $0 : nil } }

    /// Has a worker made by the mold of its configuration. Nil where it has none, and the arbiter is to fork.
    func order(age: Int, generation number: Int) -> SpawnResult? {
        guard let desk, let mold = molds[number], mold.isReady else {
            guard generations[number]?.configuration.preloads == true else { return nil }
            // It has died. What is loaded now is what there is now.
            if awaitedMold == nil { awaitedMold = number }
            return spawnFailed(age, number)
        }
        guard tell(.willOrder(age: age, generation: number)) else { return spawnFailed(age, number) }
        let cell = assignCell(generation: number)
        let pid = mold.make(Mold.Order(age: age, cell: cell), at: desk)
        cells?.note(cell, of: pid)
        guard let pid else {
            host.log(
                .error, "Can't start a worker: the process that workers are forked from (pid:\(mold.pid)) made none")
            return spawnFailed(age, number)
        }
        supervisor.receive(.workerSpawned(pid: pid, age: age, generation: number), at: Clock.now())
        tell(.forked(pid: pid, age: age, generation: number))
        return .inMaster
    }

    // MARK: In the mold

    /// Forks workers until the master ends this process. Returns in each worker.
    ///
    /// - Parameter kind: what the master is told before.
    func serveOrders(_ number: Int, _ messages: MessageChannel, saying kind: WorkerMessage.Kind) -> WorkerSeat {
        guard let desk else { Process.exitImmediately(0) }
        var seen = desk.orderCount
        messages.send(WorkerMessage(kind, pid: Process.id).bytes)
        while true {
            guard let order = desk.nextOrder(for: Process.id, after: &seen, timeout: .seconds(60)) else { continue }
            desk.beginHook(for: seen)
            let isPrepared = host.notify(.willForkFromMold(age: order.age, generation: number)) == .done
            desk.endHook()
            guard isPrepared else {
                desk.answer(seen, nil)
                continue
            }
            host.beforeFork()
            switch forkTwice() {
            case .parent:
                host.afterForkInParent()
            case nil:
                host.afterForkInParent()
                desk.answer(seen, nil)
            case .child:
                let seat = WorkerSeat(
                    generation: number, parentID: processID,
                    listeners: generations[number]?.clientListeners ?? [], admin: generations[number]?.adminListener,
                    shared: means.flatMap { means in order.cell.map { (means, $0) } },
                    reports: reloadWatch?.reportDescriptor, channel: messages, desk: desk)
                // SIGTERM when the master ends, and not before it is the parent.
                follow(seat)
                host.afterForkInChild()
                desk.answer(seen, Process.id)
                Process.setTitle("monoceros: worker [\(generations[number]?.configuration.processName ?? "")]")
                return seat
            }
        }
    }

    /// Forks a process that forks another one and ends, so that the other becomes the master's own child. Returns in
    /// this process, once that is so, and in the last one; nil when it failed.
    private func forkTwice() -> ForkResult? {
        guard let result = try? Process.fork() else { return nil }
        switch result {
        case .parent(let between):
            guard case .exited(code: 0)? = try? Process.wait(for: between) else { return nil }
            return result
        case .child:
            guard let second = try? Process.fork() else { Process.exitImmediately(1) }
            if case .parent = second { Process.exitImmediately(0) }
            // The one in between ends at this moment.
            for _ in 0..<50_000 {
                if Process.parentID == processID { return .child }
                Process.pause(microseconds: 100)
            }
            Process.exitImmediately(0)
        }
    }

    // MARK: What becomes of molds

    /// The application of a configuration is loaded.
    func noteMold(_ pid: ProcessID) {
        guard let number = molds.first(where: { $0.value.pid == pid })?.key else { return }
        molds[number]?.isReady = true
        guard awaitedMold == number else { return }
        awaitedMold = nil
        host.log(.info, "The application is loaded, and workers are forked from it (pid: \(pid)).")
        if number != supervisor.generation, let generation = generations[number] {
            supervisor.receive(.reload(generation: number, generation.configuration.terms), at: Clock.now())
        }
    }

    /// - Returns: whether that process was one.
    func moldEnded(_ pid: ProcessID, _ status: ExitStatus) -> Bool {
        guard let (number, mold) = molds.first(where: { $0.value.pid == pid }).map({ ($0.key, $0.value) }) else {
            guard endedMolds.remove(pid) != nil else { return false }
            tell(.moldExited(pid: pid))
            return true
        }
        molds[number] = nil
        tell(.moldExited(pid: pid))
        guard supervisor.isServing else { return true }
        if mold.isReady, generations[number]?.configuration.preloads == false {
            host.log(
                .warning,
                "The process that workers are forked from (pid:\(pid)) is gone. They load the application themselves.")
            return true
        }
        if mold.isReady {
            host.log(.warning, "The process that workers are forked from (pid:\(pid)) is gone. Another one is made.")
            if awaitedMold == nil { awaitedMold = number }
            return true
        }
        switch status {
        case .exited(let code): moldFailed(number, "it exited with code \(code)", HaltReason(.exited(code: code)))
        case .signaled(let signal, _): moldFailed(number, "it was sent \(signal)", nil)
        }
        return true
    }

    func endSlowMolds() {
        let now = Clock.now()
        for mold in molds.values where !mold.isReady && mold.deadline.map({ now >= $0 }) ?? false {
            host.log(.critical, "The application was not loaded in time (pid:\(mold.pid))")
            try? Process.send(.kill, to: mold.pid)
        }
    }

    private func moldFailed(_ number: Int, _ text: String, _ reason: HaltReason?) {
        if awaitedMold == number { awaitedMold = nil }
        if number != supervisor.generation || !supervisor.table.isEmpty {
            guard number != supervisor.generation else {
                return host.log(.error, "The application could not be loaded, \(text). Workers cannot be replaced.")
            }
            host.log(.error, "The application could not be loaded: \(text).")
            retire(number)
            return giveUp(number)
        }
        supervisor.receive(.preloadFailed(reason ?? .workerFailedToBoot), at: Clock.now())
    }

    /// The mold of a configuration that is not needed any more, or all at the end.
    func endMold(_ number: Int) {
        guard let mold = molds.removeValue(forKey: number) else { return }
        mold.end()
        endedMolds.insert(mold.pid)
        if awaitedMold == number { awaitedMold = nil }
    }
}
