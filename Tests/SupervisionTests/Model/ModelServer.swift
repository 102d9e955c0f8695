@testable import Supervision

/// A server in the model: the product's own policy, the workers it has made, and a clock that jumps.
struct ModelServer {
    var master: FakeMaster
    var budget: Budget
    /// A stop was asked for, or a worker failed to boot with nobody serving.
    var mayStop = false
    /// Generations that were adopted, given up or retired, so that each is said once.
    var adopted: Set<Int> = [1]
    var abandoned: Set<Int> = []
    var retired: Set<Int> = []
    var isFinished = false
    /// Nobody asked for fewer workers, so that those who leave do so for those who come.
    var isBounded = true

    init(_ budget: Budget) {
        self.budget = budget
        master = FakeMaster(budget.terms(workers: budget.workers))
    }

    var workers: [WorkerProcess] { master.supervisor.table.workers }

    /// What can happen next.
    var moves: [Move] {
        guard !isFinished else { return [] }
        var moves: [Move] = [.step]
        if budget.failedForks > 0 { moves.append(.stepWithoutFork) }
        // The kernel does take down what is killed.
        if budget.waits > 0, let wait = master.wait, wait > 0, !workers.contains(where: { $0.state == .killed }) {
            moves.append(.wait)
        }
        for (index, worker) in workers.enumerated() {
            if !worker.isReady { moves.append(.ready(index)) }
            if worker.isReady, !worker.wantsToLeave, budget.wishes > 0 { moves.append(.wantsToLeave(index)) }
            if worker.isServing, !worker.offersMold, budget.offers > 0 { moves.append(.offersMold(index)) }
            if worker.isChosen, worker.state == .terminating { moves.append(.becomesMold(index)) }
            if worker.state != .running {
                moves.append(.leaves(index))
            } else if budget.deaths > 0 {
                moves += [.dies(index, .signaled(11)), .dies(index, .exited(code: 3)), .dies(index, .exited(code: 0))]
            }
        }
        if budget.reloads > 0 { moves += [.reload(workers: budget.workers), .reload(workers: budget.workers - 1)] }
        if budget.changes > 0 { moves += [.changeWorkers(by: 1), .changeWorkers(by: -1)] }
        if budget.stops > 0 { moves += [.stop(quickly: false), .stop(quickly: true)] }
        return moves
    }

    /// - Returns: what is wrong with what the policy asked for, if anything is.
    mutating func make(_ move: Move) -> String? {
        switch move {
        case .step: return step(failingToFork: false)
        case .stepWithoutFork:
            budget.failedForks -= 1
            return step(failingToFork: true)
        case .wait:
            budget.waits = max(0, budget.waits - 1)
            master.now += master.wait ?? 0
        case .ready(let index): master.ready(workers[index].pid)
        case .wantsToLeave(let index):
            budget.wishes -= 1
            master.supervisor.receive(.workerWantsToLeave(pid: workers[index].pid), at: master.now)
        case .offersMold(let index):
            budget.offers -= 1
            master.supervisor.receive(.workerOffersMold(pid: workers[index].pid), at: master.now)
        case .becomesMold(let index):
            let served = workers.count(where: \.isServing)
            guard master.supervisor.receive(.workerBecameMold(pid: workers[index].pid), at: master.now) != nil else {
                return "a worker that was promoted may not be what it is"
            }
            if workers.count(where: \.isServing) != served { return "a mold has cost a worker" }
        case .dies(let index, let exit):
            budget.deaths -= 1
            return die(workers[index], exit)
        case .leaves(let index): return die(workers[index], .exited(code: 0))
        case .reload(let workers):
            budget.reloads -= 1
            if workers < budget.workers { isBounded = false }
            master.reload(budget.terms(workers: workers))
        case .changeWorkers(let difference):
            budget.changes -= 1
            isBounded = false
            master.supervisor.receive(.changeWorkers(by: difference), at: master.now)
        case .stop(let quickly):
            budget.stops -= 1
            mayStop = true
            master.supervisor.receive(quickly ? .stopQuickly : .stopGracefully, at: master.now)
        }
        return nil
    }

    private mutating func die(_ worker: WorkerProcess, _ exit: WorkerExit) -> String? {
        let others = workers.filter { $0.pid != worker.pid }
        let served = master.supervisor.isServing
        master.exit(worker.pid, exit)
        guard served, !master.supervisor.isServing else { return nil }
        mayStop = true
        if budget.awaitsMending { return "a death stopped a server that waits for better code" }
        if others.contains(where: \.isServing) { return "a death stopped a server that serves" }
        return worker.isReady || exit != .exited(code: 3) ? "a death that is no failed boot stopped the server" : nil
    }

    // MARK: Carrying out

    private mutating func step(failingToFork: Bool) -> String? {
        var complaint: String?
        let before = needed
        let actions = master.supervisor.actions(at: master.now)
        // Those who are told together have all been marked by now: enough others must serve.
        if master.supervisor.isServing, needed.count < min(before.count, master.supervisor.wanted) {
            complaint = "a worker is told to leave that is needed"
        }
        for action in actions {
            if case .spawn(let age, let generation) = action {
                if let wrong = check(spawn: generation) { complaint = wrong }
                if failingToFork {
                    master.supervisor.receive(.spawnFailed, at: master.now)
                    break
                }
                master.supervisor.receive(
                    .workerSpawned(pid: master.nextPID, age: age, generation: generation), at: master.now)
                master.nextPID += 1
            } else if let wrong = check(action) {
                complaint = wrong
            }
        }
        return complaint ?? checkCrowd()
    }

    /// Those who serve for a configuration that was not given up.
    private var needed: [WorkerProcess] {
        workers.filter { $0.isServing && $0.generation <= master.supervisor.generation }
    }

    private func check(spawn generation: Int) -> String? {
        if !master.supervisor.isServing { return "a worker is forked for a server that stops" }
        return retired.contains(generation) ? "a worker is forked for a generation that is retired" : nil
    }

    private mutating func check(_ action: SupervisionAction) -> String? {
        switch action {
        case .adopt(let generation):
            return adopted.insert(generation).inserted && !abandoned.contains(generation) ? nil : "adopted twice"
        case .abandon(let generation, _):
            return abandoned.insert(generation).inserted && !adopted.contains(generation) ? nil : "given up twice"
        case .retire(let generation):
            if workers.contains(where: { $0.generation == generation && $0.state == .running }) {
                return "a generation is retired that serves"
            }
            return retired.insert(generation).inserted ? nil : "retired twice"
        case .promote(let pid):
            if workers.count(where: { $0.isChosen && $0.state == .terminating && $0.pid != pid }) > 0 {
                return "two are to be what others are forked from"
            }
            return master.supervisor.table[pid]?.generation == master.supervisor.generation
                ? nil : "one is forked from whose code is old"
        case .finish:
            isFinished = true
            return mayStop ? nil : "the server ends for no reason"
        case .closeListeners: return mayStop ? nil : "listeners are closed for no reason"
        default: return nil
        }
    }

    /// How many there are.
    private func checkCrowd() -> String? {
        guard master.supervisor.isServing else { return nil }
        let booting = workers.count { $0.state == .running && $0.generation > master.supervisor.generation }
        if booting > 1 { return "more than one worker is to prove a reload" }
        // One that is told to leave before it serves has nothing to finish, and is as good as gone.
        let count = workers.count { $0.isReady || $0.state == .running }
        return isBounded && count > budget.workers + budget.step ? "too many workers at once" : nil
    }

    // MARK: Coming to rest

    /// From here on nothing bad happens: who boots comes to serve, and who is told to leave does. The server must come
    /// to rest with what was asked of it, and no timer may be left.
    func complaintAtRest() -> String? {
        var server = self
        for _ in 0..<60 where !server.isFinished {
            if let complaint = server.make(.step) { return complaint }
            if let index = server.workers.firstIndex(where: { $0.state != .running }) {
                _ = server.make(.leaves(index))
            } else if let index = server.workers.firstIndex(where: { !$0.isReady }) {
                _ = server.make(.ready(index))
            } else if server.master.wait == nil {
                break
            } else {
                _ = server.make(.wait)
            }
        }
        if server.isFinished { return nil }
        let supervisor = server.master.supervisor
        if !supervisor.isServing { return "a stop does not end" }
        if supervisor.isReloading { return "a reload does not end" }
        if supervisor.roster.current.isBroken {
            if server.workers.contains(where: \.isBooting) { return "a worker boots at rest" }
            return supervisor.deadline == nil ? nil : "a timer at rest"
        }
        if server.workers.count != supervisor.wanted { return "\(server.workers.count) workers at rest" }
        if !server.workers.allSatisfy({ $0.isServing && !$0.wantsToLeave && $0.generation == supervisor.generation }) {
            return "an old worker at rest"
        }
        return supervisor.deadline == nil ? nil : "a timer at rest"
    }
}
