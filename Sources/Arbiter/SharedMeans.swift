public import Platform
internal import Supervision
public import Telemetry

/// What the workers of a server share beside the sockets: made before the first fork, and inherited by each of them.
public struct SharedMeans: Sendable {
    /// Connections on their way from one worker to another.
    public let relay: RelayChannel
    /// What each worker is up to.
    public let scoreboard: ScoreboardReader
    /// By which workers are asked for their stacks, by cell; empty where nobody can ask.
    public let stackPorts: [StackPort]
    /// To which a worker writes where it hangs, where it has no port; nil where the system gave none.
    private let stackFile: StackFile?
    let board: ScoreboardArbiter

    /// Bytes that the relay keeps: about two thousand connections that wait.
    private static let relaySize: Int32 = 2 << 20

    /// - Parameters:
    ///   - workers: the most at a time, those that leave included.
    ///   - runners: of a worker.
    ///   - hasStackPorts: whether workers can be asked for their stacks.
    /// - Throws: `SystemError` when the system has no memory or no descriptors to give.
    init(workers: Int, runners: Int, hasStackPorts: Bool) throws(SystemError) {
        let layout = ScoreboardLayout(cells: min(max(1, workers), 4096), slots: min(max(1, runners), 4096))
        let memory = try SharedMapping(byteCount: layout.byteCount)
        board = ScoreboardArbiter(
            memory.base, layout, process: Process.id, started: Clock.wallSeconds())
        guard let reader = try? ScoreboardReader(memory.base, byteCount: memory.byteCount) else {
            preconditionFailure("a scoreboard that was just made is none")
        }
        scoreboard = reader
        relay = try RelayChannel()
        var ports: [StackPort] = []
        // A system without descriptors to spare serves all the same.
        while hasStackPorts, ports.count < layout.cellCount, let port = try? StackPort() { ports.append(port) }
        stackPorts = ports
        stackFile = ports.count < layout.cellCount ? try? StackFile() : nil
        // A smaller one works too: what does not fit stays where it is.
        _ = try? relay.resize(bytes: Self.relaySize)
    }

    /// To which the worker that got this cell writes where it hangs; nil where it cannot.
    public func stacks(of cell: Int) -> StackFile? {
        stackPorts.indices.contains(cell) ? stackPorts[cell].stacks : stackFile
    }

    /// What the worker that got this cell writes to.
    public func cell(_ index: Int) -> ScoreboardCell { board.cell(index) }
}

/// The workers' cells, as the master assigns them.
struct Cells {
    private let board: ScoreboardArbiter
    private var cells: [ProcessID: Int] = [:]
    private var silence = SilencePolicy()

    init(_ means: SharedMeans) {
        board = means.board
    }

    /// How often the master looks for signs of life, in nanoseconds: workers give one a second.
    static let lookInterval = SilencePolicy.interval

    /// A cell for a worker that is about to be forked; nil when all are taken, which only costs it its company.
    func assign(generation: Int) -> Int? { board.assign(generation: UInt64(generation), now: Clock.now()) }

    /// The worker with that cell was forked, or could not be.
    mutating func note(_ cell: Int?, of pid: ProcessID?) {
        guard let cell else { return }
        if let pid { cells[pid] = cell } else { board.retire(cell, .failedToBoot) }
    }

    mutating func retire(_ pid: ProcessID, _ end: WorkerEnd) {
        silence.forget(pid)
        if let cell = cells.removeValue(forKey: pid) { board.retire(cell, end) }
    }

    /// Whether a request in that worker's application took longer than it may. Such a worker ends itself.
    func hasTimedOut(_ pid: ProcessID) -> Bool {
        cells[pid].map { board.applicationTimeouts($0) > 0 } ?? false
    }

    subscript(pid: ProcessID) -> Int? { cells[pid] }

    func lastSign(of pid: ProcessID) -> Nanoseconds? { cells[pid].map { board.lastHeartbeat($0) } }

    func countReload() { board.countReload() }

    func tell(wanted: Int, generation: Int) { board.setGeneration(UInt64(generation), workersWanted: wanted) }

    /// Workers that have given no sign of life for longer than they may.
    ///
    /// - Parameter timeout: nanoseconds for the worker with that process id; nil for any time.
    mutating func silent(among workers: [WorkerProcess], at now: Nanoseconds, timeout: (WorkerProcess) -> Nanoseconds?)
        -> [ProcessID]
    {
        board.heartbeat(now)
        var signs: [SilencePolicy.Sign] = []
        for worker in workers where worker.isServing {
            guard let cell = cells[worker.pid], let timeout = timeout(worker) else { continue }
            signs.append(SilencePolicy.Sign(pid: worker.pid, heartbeat: board.lastHeartbeat(cell), timeout: timeout))
        }
        return silence.look(at: now, signs)
    }
}
