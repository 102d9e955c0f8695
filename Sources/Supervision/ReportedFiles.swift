/// Reads which files workers have loaded their code from: absolute paths, each ended by a NUL byte, as they come from
/// the pipe that all workers write to (`monoceros/reloader.py`).
///
/// An application can write to that pipe too, so what comes is checked: a path that is not absolute, not UTF-8 or
/// longer than the system takes is skipped, and only so many are kept.
public struct ReportedFiles: Equatable, Sendable {
    /// The most bytes of a path, less its NUL (`PATH_MAX`, limits.h).
    public static let longestPath = 4095

    /// How many different files are kept.
    public let limit: Int
    /// All that was reported so far.
    public private(set) var files: Set<String> = []
    /// How many reports were skipped, too many files included.
    public private(set) var skipped = 0

    private var partial: [UInt8] = []
    /// The path under way is too long: nothing of it is kept.
    private var isOverlong = false

    public init(limit: Int = 65536) {
        self.limit = limit
    }

    /// Takes the next bytes of the pipe, cut anywhere.
    ///
    /// - Returns: whether a file was reported for the first time.
    public mutating func receive(_ bytes: some Sequence<UInt8>) -> Bool {
        let before = files.count
        for byte in bytes {
            if byte == 0 {
                take()
            } else if partial.count < Self.longestPath {
                partial.append(byte)
            } else {
                isOverlong = true
            }
        }
        return files.count > before
    }

    private mutating func take() {
        defer {
            partial.removeAll(keepingCapacity: true)
            isOverlong = false
        }
        guard !isOverlong, partial.first == UInt8(ascii: "/"), let path = String(validating: partial, as: UTF8.self),
            files.count < limit || files.contains(path)
        else {
            skipped += 1
            return
        }
        files.insert(path)
    }

    /// Forgets files that no worker needs any more, so that the next report of one counts as its first.
    public mutating func removeAll() {
        files.removeAll(keepingCapacity: true)
    }
}
