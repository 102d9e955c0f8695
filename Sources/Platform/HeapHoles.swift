internal import CSystem
internal import Glibc

/// Free memory in pages of the C library's heap that hold something as well.
///
/// A forked process that is given such memory copies the page for it. Where it is taken before the fork, what the
/// process allocates stands close together behind the heap's end.
public enum HeapHoles {
    /// The last block that was taken; each holds the address of the one before. Touched by the one thread that a
    /// process has before it forks.
    nonisolated(unsafe) private static var taken: UnsafeMutableRawPointer?

    /// Bytes of the largest blocks: the allocator makes no mapping of its own for them.
    private static let largest = 120_000
    /// Blocks that are taken at most of a size.
    private static let limit = 100_000

    /// Takes what is free, and first gives back what was taken before, and whole pages to the system.
    ///
    /// Does nothing more where the heap is none of glibc's, which stands in the data segment.
    public static func fill() {
        while let block = taken {
            taken = block.load(as: UnsafeMutableRawPointer?.self)
            free(block)
        }
        ProcessMemory.giveBack()
        guard takeUntilTheEnd(), let end = taken else { return }
        for size in [60_000, 30_000, 15_000, 8_000] { take(all: size, before: end) }
        for size in stride(from: 4080, to: 1040, by: -256) { take(all: size, before: end) }
        for size in stride(from: 1032, through: 24, by: -16) { take(all: size, before: end) }
    }

    /// Takes large blocks until the heap has grown for one, which is behind everything then. Each touches one page of
    /// the large holes, whose pages have gone back.
    ///
    /// - Returns: false where there is no such heap.
    private static func takeUntilTheEnd() -> Bool {
        let oldEnd = UInt(bitPattern: csystem_segment_end())
        for _ in 0..<limit {
            guard let block = malloc(largest) else { return false }
            let end = UInt(bitPattern: csystem_segment_end())
            guard UInt(bitPattern: block) < end else {
                free(block)
                return false
            }
            block.storeBytes(of: taken, as: UnsafeMutableRawPointer?.self)
            taken = block
            if end > oldEnd { return true }
        }
        return false
    }

    private static func take(all size: Int, before end: UnsafeMutableRawPointer) {
        for _ in 0..<limit {
            guard let block = malloc(size) else { return }
            guard block < end else { return free(block) }
            block.storeBytes(of: taken, as: UnsafeMutableRawPointer?.self)
            taken = block
        }
    }
}
