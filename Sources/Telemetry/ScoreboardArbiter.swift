internal import Synchronization

/// The arbiter's hand on the scoreboard: it makes it, gives cells to workers, and keeps what ended workers counted.
///
/// It alone writes the header and the retired counters, and a cell only while no process has it.
public struct ScoreboardArbiter: Sendable {
    public let layout: ScoreboardLayout
    let words: ScoreboardWords
    private let memory: SharedBase

    private struct SharedBase: @unchecked Sendable {
        // `@unchecked`: an address of memory that is shared on purpose.
        let pointer: UnsafeMutableRawPointer
    }

    /// Writes the header.
    ///
    /// - Parameters:
    ///   - memory: `layout.byteCount` zero bytes, aligned to a cache line, mapped until the process ends.
    ///   - started: seconds since 1970 (UTC).
    public init(_ memory: UnsafeMutableRawPointer, _ layout: ScoreboardLayout, process: Int32, started: Int64) {
        self.layout = layout
        self.memory = SharedBase(pointer: memory)
        words = ScoreboardWords(memory)
        words.store(HeaderWord.version, ScoreboardLayout.version)
        words.store(HeaderWord.byteCount, UInt64(layout.byteCount))
        words.store(HeaderWord.cellCount, UInt64(layout.cellCount))
        words.store(HeaderWord.slotCount, UInt64(layout.slotCount))
        words.store(HeaderWord.cellStride, UInt64(8 * layout.cellStride))
        words.store(HeaderWord.arbiterProcess, UInt64(UInt32(bitPattern: process)))
        words.store(HeaderWord.started, UInt64(bitPattern: started))
        words.storeReleasing(HeaderWord.magic, ScoreboardLayout.magic)
    }

    /// A sign of life: the monotonic clock, nanoseconds.
    public func heartbeat(_ now: UInt64) { words.store(HeaderWord.heartbeat, now) }

    public func setGeneration(_ generation: UInt64, workersWanted: Int) {
        words.store(HeaderWord.generation, generation)
        words.store(HeaderWord.workersWanted, UInt64(max(0, workersWanted)))
    }

    public func countReload() { words.grow(HeaderWord.reloads, by: 1) }

    // MARK: Cells

    /// Takes a free cell for a worker that is about to be forked.
    ///
    /// - Returns: its index; nil when there is none.
    public func assign(generation: UInt64, now: UInt64) -> Int? {
        guard let index = (0..<layout.cellCount).first(where: { presence($0).lifetime == .free }) else { return nil }
        let cell = words.from(layout.cell(index))
        cell.store(CellWord.process, 0)
        cell.store(CellWord.generation, generation)
        cell.store(CellWord.booted, now)
        cell.store(CellWord.heartbeat, now)
        cell.store(CellWord.presence, ScoreboardPresence(lifetime: .assigned).word)
        words.grow(HeaderWord.workerStarts, by: 1)
        return index
    }

    /// A worker's process was reaped, or could not be made: its counters go to the retired ones, and its cell is free.
    public func retire(_ index: Int, _ end: WorkerEnd) {
        let cell = words.from(layout.cell(index))
        guard presence(index).lifetime != .free else { return }
        words.grow(HeaderWord.workerEnds + Int(end.rawValue), by: 1)

        let retired = words.from(ScoreboardLayout.retiredStart)
        let counters = cell.from(CellWord.counters)
        let sequence = words.load(HeaderWord.foldSequence) | 1
        words.store(HeaderWord.foldSequence, sequence)
        atomicMemoryFence(ordering: .releasing)
        for word in 0..<CounterWord.count {
            retired.grow(word, by: counters.load(word))
            counters.store(word, 0)
        }
        words.storeReleasing(HeaderWord.foldSequence, sequence &+ 1)

        for slot in 0..<layout.slotCount { clear(cell.from(CellWord.slots + slot * SlotWord.stride)) }
        emptyList(cell.from(layout.listStart))
        for slot in 0..<layout.slotCount { cell.store(layout.waitsStart + slot, 0) }
        // What was slow stays to be told, but for what the worker died in the middle of.
        for place in 0..<CellWord.slowestCount {
            let slot = cell.from(CellWord.slowest + place * SlotWord.stride)
            guard slot.load(SlotWord.sequence) & 1 == 1 else { continue }
            slot.store(SlotWord.phaseBegan, 0)
            slot.store(SlotWord.thread, 0)
            clear(slot)
        }
        for word in CellWord.presence..<CellWord.counters where word != CellWord.presence { cell.store(word, 0) }
        cell.store(CellWord.process, 0)
        cell.storeReleasing(CellWord.presence, ScoreboardPresence(lifetime: .free).word)
    }

    /// What waited in the worker is gone with it. What it posted is not: whoever adopts that will tell of it.
    private func emptyList(_ list: ScoreboardWords) {
        for word in [ListWord.waiting, ListWord.responses, ListWord.rowCount] { list.store(word, 0) }
        let sequence = list.load(ListWord.sequence)
        list.storeReleasing(ListWord.sequence, sequence &+ sequence & 1)
        // The row that it died in the middle of.
        let number = list.load(ListWord.posted)
        let place = Int(number % UInt64(ListWord.postedLimit))
        clear(list.from(ListWord.postedRows + place * SlotWord.stride))
    }

    /// Empties a slot, and gives it the next even number, also where the worker died in the middle.
    private func clear(_ slot: ScoreboardWords) {
        slot.store(SlotWord.state, 0)
        let sequence = slot.load(SlotWord.sequence)
        slot.storeReleasing(SlotWord.sequence, sequence &+ sequence & 1)
    }

    /// Requests of a cell's worker that took longer in the application than they may.
    public func applicationTimeouts(_ index: Int) -> UInt64 {
        CounterSnapshot(words.from(layout.cell(index) + CellWord.counters)).timeouts(.application)
    }

    /// The last sign of life of a cell's worker: the monotonic clock, nanoseconds.
    public func lastHeartbeat(_ index: Int) -> UInt64 { words.from(layout.cell(index)).load(CellWord.heartbeat) }

    public func presence(_ index: Int) -> ScoreboardPresence {
        ScoreboardPresence(word: words.from(layout.cell(index)).loadAcquiring(CellWord.presence))
    }

    /// What the worker that gets this cell writes to.
    public func cell(_ index: Int) -> ScoreboardCell { ScoreboardCell(memory.pointer, layout, index: index) }
}
