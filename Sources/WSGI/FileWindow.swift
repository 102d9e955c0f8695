/// Part of a file in memory.
struct FileWindow {
    /// Bytes that are read at a time.
    static let size = 262_144

    /// Memory that lives as long as somebody has it.
    final class Store {
        let room: UnsafeMutableRawBufferPointer

        init(count: Int) {
            room = .allocate(byteCount: count, alignment: 16)
        }

        deinit {
            room.deallocate()
        }
    }

    private let store: Store?
    private let offset: Int

    init() {
        store = nil
        offset = 0
    }

    init(_ store: Store, at offset: Int) {
        self.store = store
        self.offset = offset
    }

    private var end: Int { offset + (store?.room.count ?? 0) }

    /// These bytes of the file, if all of them are here. Valid until the window is replaced.
    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer? {
        guard let store, range.lowerBound >= offset, range.upperBound <= end else { return nil }
        return UnsafeRawBufferPointer(rebasing: store.room[(range.lowerBound - offset)..<(range.upperBound - offset)])
    }

    /// What is here from an offset of the file on; nil where nothing is.
    func bytes(from start: Int, atMost count: Int) -> UnsafeRawBufferPointer? {
        guard start >= offset, start < end else { return nil }
        return bytes(start..<min(start + count, end))
    }
}
