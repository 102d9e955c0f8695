internal import Synchronization

/// Reads a scoreboard, from any process that has it mapped. It waits for nobody: neither for a worker that writes
/// meanwhile nor for one that died while it wrote.
public struct ScoreboardReader: Sendable {
    public let layout: ScoreboardLayout
    @usableFromInline let words: ScoreboardWords

    /// How often a slot is read again before it is given up.
    static let tries = 64

    /// - Parameter memory: at least a header; mapped for as long as the reader is used.
    /// - Throws: `ScoreboardFault` when this is no scoreboard of ours.
    public init(_ memory: UnsafeMutableRawPointer, byteCount: Int) throws(ScoreboardFault) {
        guard byteCount >= 8 * HeaderWord.count else { throw .tooShort }
        words = ScoreboardWords(memory)
        guard words.loadAcquiring(HeaderWord.magic) == ScoreboardLayout.magic else { throw .notAScoreboard }
        let version = words.load(HeaderWord.version)
        guard version == ScoreboardLayout.version else { throw .otherVersion(version) }
        let (cells, slots) = (words.load(HeaderWord.cellCount), words.load(HeaderWord.slotCount))
        guard (1...4096).contains(cells), (1...4096).contains(slots) else { throw .malformed }
        layout = ScoreboardLayout(cells: Int(cells), slots: Int(slots))
        guard words.load(HeaderWord.byteCount) == UInt64(layout.byteCount),
            words.load(HeaderWord.cellStride) == UInt64(8 * layout.cellStride)
        else { throw .malformed }
        guard byteCount >= layout.byteCount else { throw .tooShort }
    }

    // MARK: What a worker asks of the others

    /// Runners of other workers that wait for a request: one load for each worker.
    ///
    /// - Parameter own: the asking worker's cell.
    public func waitingRunners(besides own: Int) -> Int {
        var sum = 0
        for index in 0..<layout.cellCount where index != own {
            let presence = presence(index)
            if presence.lifetime == .serving { sum += presence.waiting }
        }
        return sum
    }

    /// Whether a worker other than this one serves and stays, so that connections may be posted to it.
    public func hasOthersServing(besides own: Int) -> Bool {
        (0..<layout.cellCount).contains { $0 != own && presence($0).lifetime == .serving }
    }

    /// How many workers there shall be; 0 once the server stops.
    @inlinable @inline(__always)
    public var workersWanted: Int { Int(truncatingIfNeeded: words.load(HeaderWord.workersWanted)) }

    public func presence(_ cell: Int) -> ScoreboardPresence {
        ScoreboardPresence(word: words.from(layout.cell(cell)).load(CellWord.presence))
    }

    /// A worker's last sign of life: the monotonic clock, nanoseconds.
    public func heartbeat(_ cell: Int) -> UInt64 { words.from(layout.cell(cell)).load(CellWord.heartbeat) }

    // MARK: Everything

    /// - Parameter relayBytes: of messages that wait in the relay.
    public func snapshot(relayBytes: Int = 0) -> ScoreboardSnapshot {
        let (workers, total) = workersAndTotal()
        let (relayed, relayedUnlisted) = relayed(byteCount: relayBytes)
        return ScoreboardSnapshot(
            arbiterProcess: Int32(truncatingIfNeeded: words.load(HeaderWord.arbiterProcess)),
            started: Int64(bitPattern: words.load(HeaderWord.started)), generation: words.load(HeaderWord.generation),
            heartbeat: words.load(HeaderWord.heartbeat),
            workersWanted: Int(truncatingIfNeeded: words.load(HeaderWord.workersWanted)),
            reloads: words.load(HeaderWord.reloads), workerStarts: words.load(HeaderWord.workerStarts),
            workerEnds: WorkerEnd.allCases.map { words.load(HeaderWord.workerEnds + Int($0.rawValue)) },
            workers: workers, slowest: slowest(), relayed: relayed, relayedUnlisted: relayedUnlisted, total: total)
    }

    /// Counters that move from a cell to the retired ones meanwhile must be counted once: read again then.
    private func workersAndTotal() -> ([WorkerSnapshot], CounterSnapshot) {
        for attempt in 1... {
            let before = words.loadAcquiring(HeaderWord.foldSequence)
            var total = CounterSnapshot(words.from(ScoreboardLayout.retiredStart))
            var workers: [WorkerSnapshot] = []
            for index in 0..<layout.cellCount {
                let cell = words.from(layout.cell(index))
                let counters = CounterSnapshot(cell.from(CellWord.counters))
                total += counters
                let presence = presence(index)
                if presence.lifetime != .free {
                    workers.append(worker(index, cell, presence, counters))
                }
            }
            atomicMemoryFence(ordering: .acquiring)
            let isWhole = before & 1 == 0 && words.load(HeaderWord.foldSequence) == before
            // An arbiter that died in the middle will not finish: what there is, is the best there will be.
            if isWhole || attempt == Self.tries { return (workers, total) }
        }
        fatalError("unreachable: the last attempt returns")
    }

    /// One worker: for the arbiter, before it ends one that does not answer.
    public func worker(_ cell: Int) -> WorkerSnapshot {
        let words = words.from(layout.cell(cell))
        return worker(cell, words, presence(cell), CounterSnapshot(words.from(CellWord.counters)))
    }

    private func worker(
        _ index: Int, _ cell: ScoreboardWords, _ presence: ScoreboardPresence, _ counters: CounterSnapshot
    ) -> WorkerSnapshot {
        var worker = WorkerSnapshot(
            cell: index, process: Int32(truncatingIfNeeded: cell.load(CellWord.process)),
            generation: cell.load(CellWord.generation), presence: presence,
            started: Int64(bitPattern: cell.load(CellWord.started)), booted: cell.load(CellWord.booted),
            heartbeat: cell.load(CellWord.heartbeat),
            connections: ConnectionClass.allCases.map {
                Int(truncatingIfNeeded: cell.load(CellWord.connections + Int($0.rawValue)))
            },
            spoolBytes: Int(truncatingIfNeeded: cell.load(CellWord.spoolBytes)),
            bufferBytes: Int(truncatingIfNeeded: cell.load(CellWord.bufferBytes)), counters: counters, exchanges: [],
            waiting: 0, responses: 0, unreadableSlots: 0)
        for slot in 0..<layout.slotCount {
            switch exchange(slot, of: cell) {
            case .some(.some(let exchange)): worker.exchanges.append(exchange)
            case .some(.none): break
            case .none: worker.unreadableSlots += 1
            }
        }
        if let list = list(cell.from(layout.listStart)) {
            worker.exchanges += list.rows
            (worker.waiting, worker.responses) = (list.waiting, list.responses)
        } else {
            worker.unreadableSlots += 1
        }
        return worker
    }

    private func slowest() -> [SlowExchange] {
        var all: [SlowExchange] = []
        for index in 0..<layout.cellCount {
            for place in 0..<CellWord.slowestCount {
                let words = words.from(layout.cell(index) + CellWord.slowest + place * SlotWord.stride)
                guard case .some(.some(let slot)) = slot(words) else { continue }
                all.append(
                    SlowExchange(
                        method: slot.method, path: slot.path, pathByteCount: slot.pathByteCount, client: slot.client,
                        status: Int(slot.thread & 0xFFFF), duration: slot.phaseBegan,
                        ended: (slot.thread >> 16) &* 1_000_000))
            }
        }
        return all
    }

    private func exchange(_ slot: Int, of cell: ScoreboardWords) -> ExchangeSnapshot?? {
        // Before the rest: what is older than the exchange was another's wait.
        let wait = cell.loadAcquiring(layout.waitsStart + slot)
        guard let read = self.slot(cell.from(CellWord.slots + slot * SlotWord.stride)) else { return nil }
        return .some(
            read.map { read in
                var exchange = read.exchange(in: slot)
                if wait != 0, wait >= read.phaseBegan { exchange.clientWaitBegan = wait }
                return exchange
            })
    }

    /// A slot's words, as they are written together.
    struct Slot {
        var phase: ExchangePhase
        var method: MethodClass
        var path: [UInt8]
        var pathByteCount: Int
        var client: ScoreboardClient
        /// Of a posted connection: bytes of the relay that it takes.
        var messageSize: Int
        var thread, began, phaseBegan: UInt64
    }

    /// What a slot says; nil inside when it is empty, nil outside when it could not be read.
    private func slot(_ words: ScoreboardWords) -> Slot?? {
        for _ in 0..<Self.tries {
            let before = words.loadAcquiring(SlotWord.sequence)
            guard before & 1 == 0 else { continue }
            let slot = Slot(words)
            if slot.phase == .none { return .some(nil) }
            atomicMemoryFence(ordering: .acquiring)
            if words.load(SlotWord.sequence) == before { return .some(slot) }
        }
        return nil
    }
}

extension ScoreboardReader.Slot {
    /// Reads the words, which are somebody else's: whether they belong together, the sequence says.
    init(_ words: ScoreboardWords) {
        let state = words.load(SlotWord.state)
        phase = ExchangePhase(rawValue: UInt8(truncatingIfNeeded: state)) ?? .none
        method = MethodClass(rawValue: UInt8(truncatingIfNeeded: state >> 8)) ?? .other
        let kept = min(Int(state >> 16 & 0xFFFF), ScoreboardLayout.pathLimit)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(kept + 7)
        for word in 0..<(kept + 7) / 8 {
            withUnsafeBytes(of: words.load(SlotWord.path + word)) { bytes.append(contentsOf: $0) }
        }
        bytes.removeLast(bytes.count - kept)
        path = bytes
        pathByteCount = Int(state >> 32)
        let port = words.load(SlotWord.port)
        client = ScoreboardClient(
            family: ScoreboardClient.Family(rawValue: UInt8(truncatingIfNeeded: port)) ?? .unknown,
            port: UInt16(truncatingIfNeeded: port >> 16), high: words.load(SlotWord.address),
            low: words.load(SlotWord.address + 1))
        messageSize = Int(port >> 32)
        thread = words.load(SlotWord.thread)
        began = words.load(SlotWord.began)
        phaseBegan = words.load(SlotWord.phaseBegan)
    }

    func exchange(in slot: Int?) -> ExchangeSnapshot {
        ExchangeSnapshot(
            slot: slot, phase: phase, method: method, path: path, pathByteCount: pathByteCount, client: client,
            thread: Int32(truncatingIfNeeded: thread), number: Int(thread >> 32), began: began, phaseBegan: phaseBegan)
    }
}

/// Why memory is no scoreboard that this version can read.
public enum ScoreboardFault: Error, Equatable, Sendable {
    case tooShort
    case notAScoreboard
    case otherVersion(UInt64)
    case malformed
}
