internal import Synchronization

/// A worker's own cell: what it writes of itself. Every method is a handful of plain stores.
///
/// Each word has one thread at a time that writes it: slots their runner, the heartbeat the pilot, everything else
/// whoever has the baton, but for what is named otherwise.
public struct ScoreboardCell: Sendable {
    public let index: Int
    public let slotCount: Int
    @usableFromInline let words: ScoreboardWords
    private let header: ScoreboardWords

    /// - Parameters:
    ///   - memory: the scoreboard's, of `layout.byteCount` bytes, mapped for as long as the cell is used.
    ///   - index: the cell that the arbiter assigned.
    public init(_ memory: UnsafeMutableRawPointer, _ layout: ScoreboardLayout, index: Int) {
        self.index = index
        slotCount = layout.slotCount
        header = ScoreboardWords(memory)
        words = header.from(layout.cell(index))
    }

    /// The master is gone, and with it who would say which workers are: none is wanted any longer, whatever the cells
    /// of those say that ended since. For any worker that finds it; all write the same.
    public func noteMasterIsGone() { header.store(HeaderWord.workersWanted, 0) }

    /// The worker says who it is. It boots from now on.
    ///
    /// - Parameters:
    ///   - started: seconds since 1970 (UTC).
    ///   - now: the monotonic clock, nanoseconds.
    public func open(process: Int32, generation: UInt64, started: Int64, now: UInt64) {
        words.store(CellWord.process, UInt64(UInt32(bitPattern: process)))
        words.store(CellWord.generation, generation)
        words.store(CellWord.started, UInt64(bitPattern: started))
        words.store(CellWord.booted, now)
        words.store(CellWord.heartbeat, now)
        words.storeReleasing(CellWord.presence, ScoreboardPresence(lifetime: .booting).word)
    }

    /// A sign of life. For the pilot.
    ///
    /// - Parameter now: the monotonic clock, nanoseconds.
    @inlinable @inline(__always)
    public func heartbeat(_ now: UInt64) { words.store(CellWord.heartbeat, now) }

    @inlinable @inline(__always)
    public func setPresence(_ presence: ScoreboardPresence) { words.store(CellWord.presence, presence.word) }

    /// A connection went from one place to another; nil is outside.
    @inlinable @inline(__always)
    public func moveConnection(from: ConnectionClass?, to: ConnectionClass?) {
        if let from { words.grow(CellWord.connections + Int(from.rawValue), by: UInt64.max) }
        if let to { words.grow(CellWord.connections + Int(to.rawValue), by: 1) }
    }

    @inlinable @inline(__always)
    public func setConnections(_ place: ConnectionClass, _ count: Int) {
        words.store(CellWord.connections + Int(place.rawValue), UInt64(max(0, count)))
    }

    // MARK: Counters

    @inlinable @inline(__always)
    public func countAccepted() { words.grow(CellWord.counters + CounterWord.accepted, by: 1) }
    @inlinable @inline(__always)
    public func countRelayedOut() { words.grow(CellWord.counters + CounterWord.relayedOut, by: 1) }
    @inlinable @inline(__always)
    public func countRelayedIn() { words.grow(CellWord.counters + CounterWord.relayedIn, by: 1) }
    @inlinable @inline(__always)
    public func countRelayFull() { words.grow(CellWord.counters + CounterWord.relayFull, by: 1) }

    @inlinable @inline(__always)
    public func countBytes(in received: Int, out sent: Int) {
        words.grow(CellWord.counters + CounterWord.bytesIn, by: UInt64(max(0, received)))
        words.grow(CellWord.counters + CounterWord.bytesOut, by: UInt64(max(0, sent)))
    }

    public func countTimeout(_ kind: TimeoutClass) {
        words.grow(CellWord.counters + CounterWord.timeouts + Int(kind.rawValue), by: 1)
    }

    /// A request in the application has taken longer than it may. For any thread.
    public func countApplicationTimeout() {
        words.add(CellWord.counters + CounterWord.timeouts + Int(TimeoutClass.application.rawValue), 1)
    }

    /// A request that was refused.
    ///
    /// - Parameter id: its error identifier's place in the table whose names the metrics are given. Those beyond
    ///   `ScoreboardLayout.refusalLimit` share the last one.
    public func countRefusal(_ id: Int) {
        let place = min(max(id, 0), CounterWord.refusalCount - 1)
        words.grow(CellWord.counters + CounterWord.refusals + place, by: 1)
    }

    /// An exchange that is over.
    ///
    /// - Parameters:
    ///   - status: what was sent; 0 when nothing was.
    ///   - waited: for a runner, nanoseconds; nil where no runner was needed.
    ///   - application: in the application, nanoseconds; nil where it did not run.
    ///   - total: from the complete head until the response was handed over, nanoseconds.
    @inlinable @inline(__always)
    public func countRequest(_ method: MethodClass, status: Int, waited: UInt64?, application: UInt64?, total: UInt64) {
        let place = Int(method.rawValue) * CounterWord.statusCount + Int(StatusClass(status: status).rawValue)
        words.grow(CellWord.counters + CounterWord.requests + place, by: 1)
        if let waited { observe(CounterWord.waitingTime, waited) }
        if let application { observe(CounterWord.applicationTime, application) }
        observe(CounterWord.totalTime, total)
    }

    @inlinable @inline(__always)
    func observe(_ histogram: Int, _ duration: UInt64) {
        let start = CellWord.counters &+ histogram
        // The first bucket is nearly every small request's.
        let bucket = duration <= DurationBuckets.least ? 0 : DurationBuckets.index(of: duration)
        words.grow(start &+ bucket, by: 1)
        if duration != 0 { words.grow(start &+ DurationBuckets.boundCount &+ 1, by: duration) }
    }

    /// Lines for a log that could not take them. For any thread.
    public func countDroppedLogLines(_ count: Int = 1) {
        words.add(CellWord.counters + CounterWord.droppedLogLines, UInt64(max(0, count)))
    }

    // MARK: Budgets

    /// What stands in files and in buffers, in bytes, as it was looked at last. For whoever has the baton, in place of
    /// the two below.
    public func setBudgets(spool: Int, buffers: Int) {
        words.store(CellWord.spoolBytes, UInt64(max(0, spool)))
        words.store(CellWord.bufferBytes, UInt64(max(0, buffers)))
    }

    /// Bytes of request bodies in files: what came or went. For any thread.
    public func changeSpool(by bytes: Int) { words.add(CellWord.spoolBytes, UInt64(bitPattern: Int64(bytes))) }
    /// Bytes in buffers: what came or went. For any thread.
    public func changeBuffers(by bytes: Int) { words.add(CellWord.bufferBytes, UInt64(bitPattern: Int64(bytes))) }
}
