internal import CPython

/// Free blocks of Python's allocator in pages that hold objects as well.
///
/// A forked process that is given such a block copies its page, and uses few bytes of the copy. Where they are taken
/// before the fork, what it makes stands close together in pages of its own. CPython's allocator has a pool of 16 KiB,
/// or 4 KiB, for each size of blocks, and begins another when those of the size are full.
public enum ObjectPools {
    /// The last block that was taken; each holds the address of the one before. Touched with Python's lock held alone.
    nonisolated(unsafe) private static var taken: UnsafeMutableRawPointer?

    /// Bytes that are taken at most. More are not free in any sensible program: the allocator is another one.
    private static let limit = 16 << 20
    /// How many blocks in a row at the beginning of a page say that a pool was begun.
    private static let row = 4
    /// Bytes of a pool before its blocks.
    private static let header: UInt = 48

    /// Takes what is free, and first gives back what was taken before.
    public static func fill(_ gil: borrowing GIL) {
        giveBack(until: nil)
        var bytes = 0
        for size in stride(from: 16, through: 512, by: 16) {
            guard fill(size, &bytes) else { return giveBack(until: nil) }
        }
    }

    /// - Returns: false when no pool was begun for as long as there may be memory free.
    private static func fill(_ size: Int, _ bytes: inout Int) -> Bool {
        var before = taken
        var previous: UInt = 0
        var count = 0
        while bytes < limit {
            guard let block = PyObject_Malloc(size) else { return false }
            bytes += size
            let address = UInt(bitPattern: block)
            if count > 0, address == previous &+ UInt(size) {
                count += 1
            } else {
                count = address & 4095 == header ? 1 : 0
                before = taken
            }
            previous = address
            block.storeBytes(of: taken, as: UnsafeMutableRawPointer?.self)
            taken = block
            if count == row {
                giveBack(until: before)
                return true
            }
        }
        return false
    }

    private static func giveBack(until end: UnsafeMutableRawPointer?) {
        while let block = taken, block != end {
            taken = block.load(as: UnsafeMutableRawPointer?.self)
            PyObject_Free(block)
        }
    }
}
