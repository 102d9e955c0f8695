/// A configuration and how far it has come.
struct Generation: Equatable, Sendable {
    /// Counted from 1; every reload makes a new one.
    let number: Int
    let terms: Terms
    /// A worker of it has served.
    var hasServed = false
    /// Its code does not boot, and nobody is forked for it: the next reload may have better code.
    var isBroken = false
}

/// Who shall serve: the configuration in force, the one that wants to replace it, and how many workers there shall be.
///
/// ```
///            reload                 its first worker is ready
///  current ─────────► candidate ──────────────────────────────► current, and the former is outgoing
///                        │                                          │ the last worker of the former is told to leave
///                        │ its first worker fails, or is too late   ▼
///                        └──────────► gone                        rolled out
/// ```
struct Roster: Equatable, Sendable {
    private(set) var current: Generation
    /// The configuration of a reload until one of its workers has served.
    private(set) var candidate: Generation?
    /// How many workers shall live.
    var wanted: Int
    /// Generations with workers that may take connections, other than the two above.
    private(set) var outgoing: [Int] = []
    /// The reload that was adopted last has old workers to replace.
    private(set) var isRollingOut = false

    init(_ first: Terms) {
        current = Generation(number: 1, terms: first)
        wanted = first.workers
    }

    /// Of the configuration that is to serve, and content to.
    func isFresh(_ worker: WorkerProcess) -> Bool {
        worker.state == .running && worker.generation == current.number && !worker.wantsToLeave
    }

    /// Serves, and is to be replaced.
    func isStale(_ worker: WorkerProcess) -> Bool {
        worker.isServing && worker.generation <= current.number && !isFresh(worker)
    }

    /// Boots for a configuration that will not be used, or has just come to serve for one that was given up. So does a
    /// cold one that boots when warm ones can be had.
    func isVain(_ worker: WorkerProcess) -> Bool {
        if worker.isBooting && worker.wantsToLeave { return true }
        guard worker.state == .running, worker.generation != current.number, !isOfCandidate(worker) else {
            return false
        }
        return worker.isBooting || worker.generation > current.number
    }

    /// What the configuration asks that a worker is forked with now.
    func terms(of generation: Int) -> Terms {
        if let candidate, candidate.number == generation { return candidate.terms }
        precondition(generation == current.number, "workers are forked for the current generation or the candidate")
        return current.terms
    }

    func isOfCandidate(_ worker: WorkerProcess) -> Bool { worker.generation == candidate?.number }

    mutating func nominate(_ generation: Generation) {
        if let candidate { outgoing.append(candidate.number) }
        candidate = generation
    }

    mutating func dropCandidate() {
        guard let candidate else { return }
        outgoing.append(candidate.number)
        self.candidate = nil
    }

    mutating func adoptCandidate() {
        guard let adopted = candidate else { return }
        outgoing.append(current.number)
        current = adopted
        candidate = nil
        wanted = adopted.terms.workers
        isRollingOut = true
    }

    mutating func noteServing() {
        current.hasServed = true
        current.isBroken = false
    }

    mutating func noteBroken() { current.isBroken = true }

    /// Takes out the outgoing generations of which no worker takes connections any more.
    mutating func takeRetired(_ table: ProcessTable) -> [Int] {
        let retired = outgoing.filter { number in
            !table.workers.contains { $0.generation == number && $0.state == .running }
        }
        outgoing.removeAll { retired.contains($0) }
        return retired
    }

    /// Whether the last reload is done, which is said once.
    mutating func takeRolledOut(_ table: ProcessTable) -> Bool {
        guard isRollingOut, outgoing.allSatisfy({ $0 > current.number }),
            table.workers.count(where: { isFresh($0) && $0.isReady }) >= wanted
        else { return false }
        isRollingOut = false
        return true
    }
}
