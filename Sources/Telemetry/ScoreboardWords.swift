public import Synchronization

/// Words of shared memory, read and written atomically.
///
/// `Atomic` is what the standard library has for that: its layout is that of its value, zeros are a valid one, and its
/// operations on 64 bits are single instructions without a lock, which hold between processes as between threads.
/// Nothing here outlives the mapping: whoever makes it keeps it until the process ends.
@usableFromInline
struct ScoreboardWords: @unchecked Sendable {
    // `@unchecked`: the memory is shared on purpose, and only touched through `Atomic`.
    @usableFromInline let base: UnsafeMutablePointer<Atomic<UInt64>>

    @usableFromInline
    init(_ memory: UnsafeMutableRawPointer) {
        base = memory.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @usableFromInline
    init(base: UnsafeMutablePointer<Atomic<UInt64>>) {
        self.base = base
    }

    /// The words from one on.
    @inlinable @inline(__always)
    func from(_ index: Int) -> ScoreboardWords { ScoreboardWords(base: base + index) }

    @inlinable @inline(__always)
    func load(_ index: Int) -> UInt64 { base[index].load(ordering: .relaxed) }

    @inlinable @inline(__always)
    func store(_ index: Int, _ value: UInt64) { base[index].store(value, ordering: .relaxed) }

    @inlinable @inline(__always)
    func loadAcquiring(_ index: Int) -> UInt64 { base[index].load(ordering: .acquiring) }

    @inlinable @inline(__always)
    func storeReleasing(_ index: Int, _ value: UInt64) { base[index].store(value, ordering: .releasing) }

    /// Adds where one thread at a time writes: a load and a store, and no locked instruction.
    @inlinable @inline(__always)
    func grow(_ index: Int, by count: UInt64) { store(index, load(index) &+ count) }

    /// Adds where any thread writes.
    @inlinable @inline(__always)
    func add(_ index: Int, _ count: UInt64) { base[index].wrappingAdd(count, ordering: .relaxed) }
}
