/// Growable memory for bytes that have to outlive one turn: part of a request, or requests that came early.
///
/// Most requests arrive whole and never need one: an idle connection has none.
public final class ByteStore {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    public private(set) var count = 0

    public init(capacity: Int = 0) {
        self.capacity = max(capacity, 64)
        base = .allocate(byteCount: self.capacity, alignment: 16)
    }

    /// A copy of `bytes`, with room for `spare` more.
    public convenience init(_ bytes: UnsafeRawBufferPointer, spare: Int = 0) {
        self.init(capacity: bytes.count + spare)
        append(bytes)
    }

    deinit {
        base.deallocate()
    }

    /// What is in it. Valid until the next change.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    public func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    /// Room for `size` bytes behind what is in it: `count` is larger by those that were put there once `fill` says so.
    func room(_ size: Int) -> UnsafeMutableRawBufferPointer {
        reserve(size)
        return UnsafeMutableRawBufferPointer(start: base + count, count: size)
    }

    /// So many bytes were put into the room.
    func fill(_ size: Int) {
        precondition(size >= 0 && size <= capacity - count)
        count += size
    }

    public func removeFirst(_ size: Int) {
        precondition(size >= 0 && size <= count)
        count -= size
        base.copyMemory(from: base + size, byteCount: count)
    }

    /// Drops everything behind the first `size` bytes.
    func truncate(_ size: Int) {
        precondition(size >= 0 && size <= count)
        count = size
    }

    /// Bytes that it has of memory.
    var footprint: Int { capacity }

    /// The first `size` bytes, without memory for much more than those. This one is not used any more.
    func shortened(to size: Int) -> ByteStore {
        truncate(size)
        return capacity > 2 * size + 4096 ? ByteStore(bytes) : self
    }

    private func reserve(_ size: Int) {
        guard capacity - count < size else { return }
        let larger = max(capacity * 2, count + size)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        moved.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = moved
        capacity = larger
    }
}
