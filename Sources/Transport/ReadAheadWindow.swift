internal import Platform

/// How far ahead of what is sent a file is read.
///
/// The kernel reads ahead by itself, but as much in one call as the disk's owner has set: 128 KiB as a rule, many
/// megabytes on some systems, and in a call that finds all in memory but the last page. Nobody else gets the CPU
/// meanwhile. So that is turned off for large files, and asked for in steps.
struct ReadAheadWindow {
    /// Bytes that are asked for at a time.
    static let step = 524_288
    /// Bytes that are to be in memory, or on their way, behind those that are sent just now.
    static let distance = 1 << 20

    /// Up to here the file was asked for, or found in memory.
    private(set) var end: Int

    /// - Parameter start: where the first byte is that is to be sent.
    init(from start: Int) {
        end = start
    }

    /// The next steps, for bytes up to `offset` that are about to be sent: two at most, so that the first call does not
    /// ask for all at once.
    ///
    /// - Parameter last: behind the last byte that will be sent.
    mutating func next(through offset: Int, of last: Int) -> Range<Int>? {
        let wanted = min(last, offset + Self.distance)
        guard end < wanted else { return nil }
        // Not in small portions: the disk would have to be asked too often.
        guard wanted - end >= Self.step || wanted == last else { return nil }
        let start = end
        end = min(wanted, start + 2 * Self.step)
        return start..<end
    }

    /// Asks for what is to be sent soon. What the system has in memory is not asked for: that would cost a look at each
    /// page.
    mutating func prepare(_ file: Descriptor, through offset: Int, of last: Int) {
        guard let range = next(through: offset, of: last), !file.isCached(at: range.upperBound - 1) else { return }
        file.readAhead(range)
    }
}
