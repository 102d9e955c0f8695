public import Synchronization

/// The exchange that each runner has: its slot.
///
/// A reader must never take one exchange's path for another's. So what belongs together is written between two changes of a
/// number that is odd meanwhile (a seqlock), and read again until the number is even and the same before and after. A worker
/// that dies in between leaves it odd: readers give up after a few tries, and the arbiter clears it with the cell.
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
        guard slot >= 0, slot < slotCount else { return }
        let words = words.from(CellWord.slots + slot * SlotWord.stride)
        let sequence = words.load(SlotWord.sequence) | 1
        words.store(SlotWord.sequence, sequence)
        atomicMemoryFence(ordering: .releasing)

        let kept = min(path.count, 8 * SlotWord.pathWords)
        let whole = UInt64(UInt32(clamping: path.count))
        words.store(SlotWord.began, began)
        words.store(
            SlotWord.state,
            UInt64(phase.rawValue) | UInt64(method.rawValue) << 8 | UInt64(kept) << 16 | whole << 32)
        words.store(SlotWord.phaseBegan, now)
        words.store(
            SlotWord.thread, UInt64(UInt32(bitPattern: thread)) | UInt64(UInt32(clamping: number)) << 32)
        words.store(SlotWord.address, client.high)
        words.store(SlotWord.address + 1, client.low)
        words.store(SlotWord.port, UInt64(client.family.rawValue) | UInt64(client.port) << 16)
        Self.copy(path, kept, to: words.from(SlotWord.path))

        words.storeReleasing(SlotWord.sequence, sequence &+ 1)
    }

    /// The exchange goes on to another phase.
    @inlinable @inline(__always)
    public func setPhase(_ slot: Int, _ phase: ExchangePhase, now: UInt64) {
        guard slot >= 0, slot < slotCount else { return }
        let words = words.from(CellWord.slots + slot * SlotWord.stride)
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
        guard slot >= 0, slot < slotCount else { return }
        words.store(CellWord.slots + slot * SlotWord.stride + SlotWord.state, 0)
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
        var last: UInt64 = 0
        withUnsafeMutableBytes(of: &last) {
            $0.baseAddress.unsafelyUnwrapped.copyMemory(from: base + offset, byteCount: count &- offset)
        }
        words.store(offset >> 3, last)
    }
}
