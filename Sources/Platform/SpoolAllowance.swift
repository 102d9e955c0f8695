internal import Glibc
internal import Synchronization

/// How many bytes the spool files of all of a server's workers may have together. Made before the workers are forked.
///
/// Each worker counts in a place of its own, in memory that all share. What a worker had in files is gone with it, and
/// so its count has to be: who takes a place empties those of the dead.
public final class SpoolAllowance: @unchecked Sendable {
    // `@unchecked`: the mapping's words are touched atomically alone.

    /// Bytes; nil for any number.
    public let limit: Int?
    private let mapping: SharedMapping
    /// This process's place; -1 before there is one.
    private let mine = Atomic<Int>(-1)

    /// Two words each: the process, and its bytes.
    private var placeCount: Int { 256 }

    /// - Throws: `SystemError` when the system has no memory to give.
    public init(limit: Int?) throws(SystemError) {
        self.limit = limit
        mapping = try SharedMapping(byteCount: 256 * 2 * MemoryLayout<Int>.size)
    }

    private init(limit: Int?, mapping: SharedMapping) {
        self.limit = limit
        self.mapping = mapping
    }

    /// The same bytes under another limit.
    public func limited(to limit: Int?) -> SpoolAllowance { SpoolAllowance(limit: limit, mapping: mapping) }

    /// Takes a place for this process. To be called once after the fork, by its only thread.
    public func join() { join(as: Int(Process.id), isGone: Self.isGone) }

    func join(as process: Int, isGone: (Int) -> Bool) {
        for place in 0..<placeCount {
            let owner = word(place, 0).pointee.load(ordering: .relaxed)
            if owner == 0 || owner == process {
                if mine.load(ordering: .relaxed) >= 0 { continue }
            } else if !isGone(owner) {
                continue
            }
            guard
                word(place, 0).pointee.compareExchange(expected: owner, desired: process, ordering: .relaxed).exchanged
            else { continue }
            word(place, 1).pointee.store(0, ordering: .relaxed)
            if mine.load(ordering: .relaxed) < 0 {
                mine.store(place, ordering: .relaxed)
            } else {
                // Another place of the dead: emptied, and free for the next.
                word(place, 0).pointee.store(0, ordering: .relaxed)
            }
        }
    }

    /// Whether so many more bytes have room. They are not taken.
    public func hasRoom(for bytes: Int) -> Bool {
        guard let limit else { return true }
        let (sum, overflow) = used.addingReportingOverflow(bytes)
        return !overflow && sum <= limit
    }

    /// Takes room for bytes that are about to be written.
    ///
    /// - Returns: false, and nothing taken, when there is none.
    public func take(_ bytes: Int) -> Bool {
        // Counted first: of two that ask for the last room at once, both may go away empty, and none may get too much.
        count(bytes)
        if hasRoom(for: 0) { return true }
        count(-bytes)
        return false
    }

    /// Counts bytes that are there already.
    public func note(_ bytes: Int) { count(bytes) }

    /// Gives room back.
    public func giveBack(_ bytes: Int) {
        if bytes > 0 { count(-bytes) }
    }

    /// Bytes that all workers have in files.
    public var used: Int {
        (0..<placeCount).reduce(0) { $0 &+ word($1, 1).pointee.load(ordering: .relaxed) }
    }

    /// Bytes that this process has in files; 0 for one that found no place.
    public var ownBytes: Int {
        let place = mine.load(ordering: .relaxed)
        return place < 0 ? 0 : word(place, 1).pointee.load(ordering: .relaxed)
    }

    private func count(_ bytes: Int) {
        // More workers than places: the last is for all that found none.
        let place = mine.load(ordering: .relaxed)
        word(place < 0 ? placeCount - 1 : place, 1).pointee.wrappingAdd(bytes, ordering: .relaxed)
    }

    private static func isGone(_ process: Int) -> Bool {
        guard let process = Int32(exactly: process) else { return true }
        return kill(process, 0) != 0 && Errno.current == .noSuchProcess
    }

    /// A word of a place, within the mapping by `placeCount`; `Atomic` has the layout of what it holds.
    private func word(_ place: Int, _ index: Int) -> UnsafeMutablePointer<Atomic<Int>> {
        mapping.base.assumingMemoryBound(to: Atomic<Int>.self) + (2 * place + index)
    }
}

/// What a file system has left.
public enum FileSystemSpace {
    /// Bytes that a process without privileges may still write there (`statvfs(3)`); nil where the system does not say.
    public static func freeBytes(in directory: String) -> Int? {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { return nil }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return overflow ? .max : Int(clamping: bytes)
    }
}
