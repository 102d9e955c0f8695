internal import CSystem
internal import Glibc

/// Free memory in pages of the C library's heap that hold something as well.
///
/// A forked process that is given such memory copies the page for it. Where it is taken before the fork, what the process
/// allocates stands close together behind the heap's end.
public enum HeapHoles {
    /// The last block that was taken; each holds the address of the one before. Touched by the one thread that a process
    /// has before it forks.
    nonisolated(unsafe) private static var taken: UnsafeMutableRawPointer?

    /// Bytes of the largest blocks: the allocator makes no mapping of its own for them.
    private static let largest = 120_000
    /// So near the end of the data segment is what was made at the heap's end.
    private static let slack: UInt = 400_000
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
        // Of large holes, whose pages have gone back, each block touches one. The last is behind all of them.
        var count = 0
        while let block = take(largest), count < limit {
            guard isInHeap(block) else { return }
            count += 1
            guard !isAtEnd(block) else { break }
        }
        guard let end = taken else { return }
        for size in [60_000, 30_000, 15_000, 8_000] { take(all: size, before: end) }
        for size in stride(from: 4080, to: 1040, by: -256) { take(all: size, before: end) }
        for size in stride(from: 1032, through: 24, by: -16) { take(all: size, before: end) }
    }

    private static func isInHeap(_ block: UnsafeMutableRawPointer) -> Bool {
        UInt(bitPattern: block) < UInt(bitPattern: csystem_segment_end())
    }

    private static func isAtEnd(_ block: UnsafeMutableRawPointer) -> Bool {
        UInt(bitPattern: csystem_segment_end()) - UInt(bitPattern: block) < slack
    }

    private static func take(_ size: Int) -> UnsafeMutableRawPointer? {
        guard let block = malloc(size) else { return nil }
        block.storeBytes(of: taken, as: UnsafeMutableRawPointer?.self)
        taken = block
        return block
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
