/// Where everything stands in the scoreboard: one mapping that the arbiter makes before the first fork.
///
/// Everything is a word of 64 bits in the machine's byte order. A mapping of zeros is a scoreboard without workers.
/// docs/scoreboard.md describes it for other readers; a change of anything here is a new `version`.
///
/// ```
///   header │ retired counters │ cell 0 │ cell 1 │ …
///                               └ identity │ heartbeat │ gauges │ counters │ slowest │ slot 0 │ … │ list │ waits
/// ```
public struct ScoreboardLayout: Equatable, Sendable {
    /// "MNCRSCBD", read as a little-endian word.
    public static let magic: UInt64 = 0x4442_4353_5243_4E4D
    public static let version: UInt64 = 3

    public let cellCount: Int
    /// Exchange slots of a cell: one for each runner.
    public let slotCount: Int

    /// - Parameters:
    ///   - cells: the most workers at a time, those that leave during a reload included.
    ///   - slots: the most runners of a worker.
    public init(cells: Int, slots: Int) {
        precondition((1...4096).contains(cells) && (1...4096).contains(slots))
        cellCount = cells
        slotCount = slots
    }

    /// Bytes of the whole mapping.
    public var byteCount: Int { 8 * (Self.cellsStart + cellCount * cellStride) }

    /// Words from one cell to the next: whole cache lines.
    public var cellStride: Int { waitsStart + (slotCount + 7) & ~7 }

    /// The first word of a cell's list, counted from the cell's.
    var listStart: Int { CellWord.slots + slotCount * SlotWord.stride }

    /// The first word of a cell's waits, counted from the cell's: one for each slot (`ScoreboardCell.noteClientWait`).
    var waitsStart: Int { Self.waitsStart(slotCount: slotCount) }

    /// The same of a cell with so many slots.
    static func waitsStart(slotCount: Int) -> Int {
        CellWord.slots + slotCount * SlotWord.stride + ListWord.count
    }

    /// The first word of a cell.
    public func cell(_ index: Int) -> Int {
        precondition(index >= 0 && index < cellCount)
        return Self.cellsStart + index * cellStride
    }

    static var retiredStart: Int { HeaderWord.count }
    static var cellsStart: Int { HeaderWord.count + CounterWord.count }
}

/// The header's words. Only the arbiter writes them.
@usableFromInline
enum HeaderWord {
    static var magic: Int { 0 }
    static var version: Int { 1 }
    static var byteCount: Int { 2 }
    static var cellCount: Int { 3 }
    static var slotCount: Int { 4 }
    static var cellStride: Int { 5 }
    static var arbiterProcess: Int { 8 }
    /// Seconds since 1970 (UTC).
    static var started: Int { 9 }
    /// The newest generation of workers.
    static var generation: Int { 10 }
    /// The monotonic clock, nanoseconds.
    static var heartbeat: Int { 11 }
    @usableFromInline static var workersWanted: Int { 12 }
    static var reloads: Int { 13 }
    /// Odd while a cell's counters move to the retired ones.
    static var foldSequence: Int { 16 }
    static var workerStarts: Int { 24 }
    /// One for each `WorkerEnd`.
    static var workerEnds: Int { 25 }
    /// Eight cache lines.
    static var count: Int { 64 }
}

/// A cell's words, from its first. Cache lines are 8 words: what different threads write stands on different ones.
@usableFromInline
enum CellWord {
    // Written once by the worker.
    @usableFromInline static var process: Int { 0 }
    @usableFromInline static var generation: Int { 1 }
    /// Seconds since 1970 (UTC).
    @usableFromInline static var started: Int { 2 }
    /// The monotonic clock, nanoseconds.
    @usableFromInline static var booted: Int { 3 }
    // Written by the pilot, who also lives while the baton is long in one hand.
    @usableFromInline static var heartbeat: Int { 8 }
    // Written by whoever has the baton.
    /// `ScoreboardPresence`.
    @usableFromInline static var presence: Int { 16 }
    /// One for each `ConnectionClass`.
    @usableFromInline static var connections: Int { 17 }
    /// A request that took longer than this is one of the slowest, nanoseconds …
    @usableFromInline static var slowThreshold: Int { 26 }
    /// … and any request may be, once the clock is past this.
    @usableFromInline static var slowExpiry: Int { 27 }
    // Written by any thread.
    @usableFromInline static var spoolBytes: Int { 32 }
    @usableFromInline static var bufferBytes: Int { 33 }
    // `CounterWord`s.
    @usableFromInline static var counters: Int { 40 }
    /// The slowest requests of the last minute: `SlotWord`s, written by whoever has the baton.
    @usableFromInline static var slowest: Int { counters + CounterWord.count }
    @usableFromInline static var slowestCount: Int { 8 }
    // `SlotWord`s.
    @usableFromInline static var slots: Int { slowest + slowestCount * SlotWord.stride }
}

/// Words that only grow, in a cell and among the retired.
@usableFromInline
enum CounterWord {
    @usableFromInline static var accepted: Int { 0 }
    /// Connections posted to other workers.
    @usableFromInline static var relayedOut: Int { 1 }
    /// Connections adopted from other workers.
    @usableFromInline static var relayedIn: Int { 2 }
    /// Connections that stayed, since the relay was full.
    @usableFromInline static var relayFull: Int { 3 }
    @usableFromInline static var bytesIn: Int { 4 }
    @usableFromInline static var bytesOut: Int { 5 }
    /// Written by any thread.
    @usableFromInline static var droppedLogLines: Int { 6 }
    /// One for each `TimeoutClass`, and two to spare.
    @usableFromInline static var timeouts: Int { 8 }
    /// One for each `StatusClass` of each `MethodClass`.
    @usableFromInline static var requests: Int { 16 }
    /// Buckets, and the sum in nanoseconds.
    @usableFromInline static var applicationTime: Int { requests + methodCount * statusCount }
    @usableFromInline static var totalTime: Int { applicationTime + histogramCount }
    @usableFromInline static var waitingTime: Int { totalTime + histogramCount }
    /// One for each error identifier.
    @usableFromInline static var refusals: Int { waitingTime + histogramCount }
    @usableFromInline static var refusalCount: Int { 124 }
    @usableFromInline static var count: Int { refusals + refusalCount }

    @usableFromInline static var methodCount: Int { 8 }
    @usableFromInline static var statusCount: Int { 6 }
    @usableFromInline static var histogramCount: Int { DurationBuckets.boundCount + 2 }
}

/// A slot's words, from its first. Written by its runner alone.
///
/// Of an exchange that is over and was slow: `phaseBegan` is how long it took, `thread` its status and the monotonic
/// clock when it ended, in milliseconds and 48 bits, and the phase in `state` is `response`.
@usableFromInline
enum SlotWord {
    /// Odd while a new exchange is being written.
    @usableFromInline static var sequence: Int { 0 }
    /// The monotonic clock when the head was complete, nanoseconds.
    @usableFromInline static var began: Int { 1 }
    /// `ExchangePhase` in 8 bits, `MethodClass` in 8, path bytes stored in 16, path bytes in all in 32.
    @usableFromInline static var state: Int { 2 }
    /// The monotonic clock when the phase began, nanoseconds.
    @usableFromInline static var phaseBegan: Int { 3 }
    /// The kernel's number of the thread in 32 bits, and the request's on its connection in 32.
    @usableFromInline static var thread: Int { 4 }
    /// `ScoreboardClient`: two words of address, then family and port.
    @usableFromInline static var address: Int { 5 }
    @usableFromInline static var port: Int { 7 }
    @usableFromInline static var path: Int { 8 }
    @usableFromInline static var pathWords: Int { 16 }
    /// Three cache lines.
    @usableFromInline static var stride: Int { 24 }
}

extension ScoreboardLayout {
    /// Bytes of a path that a slot keeps.
    public static var pathLimit: Int { 8 * SlotWord.pathWords }
    /// Error identifiers that can be counted; the last place is for those beyond.
    public static var refusalLimit: Int { CounterWord.refusalCount }
}
