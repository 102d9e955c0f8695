public import Synchronization

/// The exchange that each runner has: its slot.
///
/// A reader must never take one exchange's path for another's. So what belongs together is written between two changes
/// of a number that is odd meanwhile (a seqlock), and read again until the number is even and the same before and
/// after. A worker that dies in between leaves it odd: readers give up after a few tries, and the arbiter clears it
/// with the cell.
extension ScoreboardCell {
    /// A runner has a request. For the slot's runner, as everything here.
    ///
    /// - Parameters:
    ///   - slot: the runner's number, below `slotCount`.
    ///   - thread: the kernel's number of the thread (`gettid(2)`).
    ///   - path: its first `ScoreboardLayout.pathLimit` bytes are kept. Without the query, in which secrets travel.
    ///   - number: of the request on its connection; the first is 1.
    ///   - began: when the head was complete: the monotonic clock, nanoseconds, as every time here.
    @inlinable
    public func beginExchange(
        _ slot: Int, phase: ExchangePhase, method: MethodClass, path: UnsafeRawBufferPointer,
        client: ScoreboardClient, thread: Int32, number: Int, began: UInt64, now: UInt64
    ) {
        guard let words = slotWords(slot) else { return }
        let sequence = words.load(SlotWord.sequence) | 1
        words.store(SlotWord.sequence, sequence)
        atomicMemoryFence(ordering: .releasing)

        words.store(SlotWord.phaseBegan, now)
        Self.write(
            words, phase: phase, method: method, path: path, client: client, began: began,
            thread: UInt64(UInt32(bitPattern: thread)) | UInt64(UInt32(truncatingIfNeeded: number)) << 32)
        words.storeReleasing(SlotWord.sequence, sequence &+ 1)
    }

    /// The exchange goes on to another phase.
    @inlinable @inline(__always)
    public func setPhase(_ slot: Int, _ phase: ExchangePhase, now: UInt64) {
        guard let words = slotWords(slot) else { return }
        let sequence = words.load(SlotWord.sequence) | 1
        words.store(SlotWord.sequence, sequence)
        atomicMemoryFence(ordering: .releasing)
        words.store(SlotWord.phaseBegan, now)
        words.store(SlotWord.state, words.load(SlotWord.state) & ~0xFF | UInt64(phase.rawValue))
        words.storeReleasing(SlotWord.sequence, sequence &+ 1)
    }

    /// The runner has given its exchange back.
    @inlinable @inline(__always)
    public func endExchange(_ slot: Int) {
        slotWords(slot)?.store(SlotWord.state, 0)
    }

    /// The application waits for its client, or does not any more. For any thread of the application's: it is a word of
    /// its own. Nobody has to take back what an exchange leaves here, since it is older than the next one.
    ///
    /// - Parameter began: the monotonic clock, nanoseconds, when the exchange had begun already; 0 at the wait's end.
    public func noteClientWait(_ slot: Int, began: UInt64) {
        guard slot >= 0, slot < slotCount else { return }
        words.storeReleasing(ScoreboardLayout.waitsStart(slotCount: slotCount) + slot, began)
    }

    @inlinable @inline(__always)
    func slotWords(_ slot: Int) -> ScoreboardWords? {
        guard slot >= 0, slot < slotCount else { return nil }
        return words.from(CellWord.slots &+ slot &* SlotWord.stride)
    }

    // MARK: The slowest

    /// Whether this request is one of the slowest of the last minute: two loads for nearly every other. For whoever has
    /// the baton, as `noteSlow`.
    ///
    /// - Parameters: nanoseconds; `now` is the monotonic clock.
    @inlinable @inline(__always)
    public func isSlow(total: UInt64, now: UInt64) -> Bool {
        total > words.load(CellWord.slowThreshold) || now > words.load(CellWord.slowExpiry)
    }

    /// Keeps a request that `isSlow` in place of an older or a quicker one.
    ///
    /// - Parameters:
    ///   - status: 0 when none was sent.
    ///   - began: when the head was complete; `now` when the response was handed over. The monotonic clock,
    ///     nanoseconds.
    public func noteSlow(
        method: MethodClass, path: UnsafeRawBufferPointer, client: ScoreboardClient, status: Int, began: UInt64,
        now: UInt64
    ) {
        keepSlow(total: now > began ? now - began : 0, now: now) { slot in
            Self.write(
                slot, phase: .response, method: method, path: path, client: client, began: began,
                thread: Self.slowEnd(status: status, now: now))
        }
    }

    /// What a slot says of its exchange, to be kept past it. For the slot's runner.
    public func copyExchange(_ slot: Int) -> ExchangeCopy? {
        guard let words = slotWords(slot) else { return nil }
        return ExchangeCopy(words: (0..<SlotWord.stride).map { words.load($0) })
    }

    /// The same as `noteSlow` for an exchange whose bytes are gone. Nothing is done for one that is not slow.
    public func noteSlow(_ copy: ExchangeCopy, status: Int, now: UInt64) {
        let began = copy.words[SlotWord.began]
        let total = now > began ? now - began : 0
        guard isSlow(total: total, now: now) else { return }
        keepSlow(total: total, now: now) { slot in
            for word in 1..<SlotWord.stride where word != SlotWord.phaseBegan && word != SlotWord.thread {
                slot.store(word, copy.words[word])
            }
            let state = copy.words[SlotWord.state] & ~0xFF | UInt64(ExchangePhase.response.rawValue)
            slot.store(SlotWord.state, state)
            slot.store(SlotWord.thread, Self.slowEnd(status: status, now: now))
        }
    }

    private static func slowEnd(status: Int, now: UInt64) -> UInt64 {
        UInt64(UInt16(clamping: status)) | (now / 1_000_000) << 16
    }

    private func keepSlow(total: UInt64, now: UInt64, _ write: (ScoreboardWords) -> Void) {
        // One that is over a minute old goes first, the quickest of the others else.
        var place = 0
        var least = UInt64.max
        for index in 0..<CellWord.slowestCount {
            let weight = slowWeight(index, now: now)
            if weight < least { (place, least) = (index, weight) }
        }
        if least == 0 || total > least {
            let slot = words.from(CellWord.slowest + place * SlotWord.stride)
            let sequence = slot.load(SlotWord.sequence) | 1
            slot.store(SlotWord.sequence, sequence)
            atomicMemoryFence(ordering: .releasing)
            slot.store(SlotWord.phaseBegan, total)
            write(slot)
            slot.storeReleasing(SlotWord.sequence, sequence &+ 1)
        }
        var (threshold, expiry) = (UInt64.max, UInt64.max)
        for index in 0..<CellWord.slowestCount {
            threshold = min(threshold, slowWeight(index, now: now))
            let ended = words.load(CellWord.slowest + index * SlotWord.stride + SlotWord.thread) >> 16
            expiry = min(expiry, (ended &* 1_000_000) &+ Self.slowMemory)
        }
        words.store(CellWord.slowThreshold, threshold)
        // At least a second apart, so that a minute without slow requests does not make each one look.
        words.store(CellWord.slowExpiry, max(expiry, now &+ 1_000_000_000))
    }

    /// For how long a slow request is told: a minute, in nanoseconds.
    public static var slowMemory: UInt64 { 60_000_000_000 }

    /// How long a kept request took; 0 when its time is over, or there is none.
    private func slowWeight(_ index: Int, now: UInt64) -> UInt64 {
        let slot = words.from(CellWord.slowest + index * SlotWord.stride)
        let ended = (slot.load(SlotWord.thread) >> 16) &* 1_000_000
        return now > ended &+ Self.slowMemory ? 0 : slot.load(SlotWord.phaseBegan)
    }

    // MARK: Words

    /// Writes what a slot of either kind says, but for its sequence and `phaseBegan`.
    @inlinable @inline(__always)
    static func write(
        _ slot: ScoreboardWords, phase: ExchangePhase, method: MethodClass, path: UnsafeRawBufferPointer,
        client: ScoreboardClient, began: UInt64, thread: UInt64
    ) {
        let kept = min(path.count, 8 * SlotWord.pathWords)
        let whole = UInt64(UInt32(clamping: path.count))
        slot.store(SlotWord.began, began)
        slot.store(
            SlotWord.state,
            UInt64(phase.rawValue) | UInt64(method.rawValue) << 8 | UInt64(kept) << 16 | whole << 32)
        slot.store(SlotWord.thread, thread)
        slot.store(SlotWord.address, client.high)
        slot.store(SlotWord.address + 1, client.low)
        slot.store(SlotWord.port, UInt64(client.family.rawValue) | UInt64(client.port) << 16)
        copy(path, kept, to: slot.from(SlotWord.path))
    }

    /// By whole words: a reader that copies meanwhile must not be undefined, only wrong, which it finds out.
    @inlinable @inline(__always)
    static func copy(_ bytes: UnsafeRawBufferPointer, _ count: Int, to words: ScoreboardWords) {
        guard let base = bytes.baseAddress else { return }
        var offset = 0
        while offset &+ 8 <= count {
            words.store(offset >> 3, base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset &+= 8
        }
        guard offset < count else { return }
        words.store(offset >> 3, lastWord(base + offset, count &- offset))
    }

    /// Fewer than eight bytes as a word, the first of them the lowest in memory. Most paths end with such a rest, and a
    /// call of memcpy(3) costs as much as all else that a slot is told.
    @inlinable @inline(__always)
    static func lastWord(_ bytes: UnsafeRawPointer, _ count: Int) -> UInt64 {
        var word: UInt64 = 0
        var rest = count
        if rest & 1 != 0 {
            rest &-= 1
            word = UInt64(bytes.load(fromByteOffset: rest, as: UInt8.self).littleEndian)
        }
        if rest & 2 != 0 {
            rest &-= 2
            word = word << 16 | UInt64(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: rest, as: UInt16.self)))
        }
        if rest & 4 != 0 {
            word = word << 32 | UInt64(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
        }
        return word.littleEndian
    }
}

/// What a slot said of an exchange.
public struct ExchangeCopy: Sendable {
    let words: [UInt64]
}
