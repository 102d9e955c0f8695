internal import CSystem
internal import Glibc

/// What changed since a watcher was last asked.
public struct FileChanges: Equatable, Sendable {
    /// Watched files that were written, replaced, created or removed, by the path under which they are watched.
    public var files: Set<String> = []
    /// Something came to a watched directory, or left it: whoever watches a pattern expands it again.
    public var hasNewListing = false
    /// The kernel had more to say than it could keep: any watched file may have changed.
    public var hasLostEvents = false

    public init(files: Set<String> = [], hasNewListing: Bool = false, hasLostEvents: Bool = false) {
        self.files = files
        self.hasNewListing = hasNewListing
        self.hasLostEvents = hasLostEvents
    }

    /// Whether nothing changed.
    public var isEmpty: Bool { files.isEmpty && !hasNewListing && !hasLostEvents }
}

/// Sees when files change: `InotifyWatcher` is told by the kernel, `PollingWatcher` looks. For one thread.
public protocol FileWatcher: AnyObject {
    /// Readable when `changes()` has something to say; nil for a watcher that only looks when it is asked.
    var descriptor: Descriptor? { get }
    /// After how many nanoseconds to ask although nothing became readable; nil for never.
    var interval: Nanoseconds? { get }

    /// Watches these from now on, and nothing else. What is watched already stays watched without a gap.
    ///
    /// - Parameters:
    ///   - files: absolute paths; a file need not exist. A symbolic link is watched where it stands and where it
    ///     leads at the moment: after a change, call this again.
    ///   - directories: absolute paths of directories whose listing matters.
    /// - Throws: `SystemError` when the system watches no more: the caller may go on with another kind of watcher.
    func watch(files: Set<String>, directories: Set<String>) throws(SystemError)

    /// What changed since the last call, or since the path is watched. Never waits.
    func changes() -> FileChanges

    /// Gives back what the watcher holds. It is of no use afterwards.
    func close()
}

/// A watcher that compares the times, sizes and inode numbers of files whenever it is asked: for file systems that tell
/// nobody about changes, such as those of a network or of a virtual machine's host.
public final class PollingWatcher: FileWatcher {
    /// What tells one state of a file from another (`stat(2)`).
    private struct Signature: Equatable {
        let seconds: Int
        let nanoseconds: Int
        let size: Int
        let device: UInt64
        let inode: UInt64

        /// Nil when there is no such file.
        init?(path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
            size = Int(status.st_size)
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }

    public let descriptor: Descriptor? = nil
    public let interval: Nanoseconds?
    private var files: [String: Signature?] = [:]
    private var directories: [String: Signature?] = [:]

    /// - Parameter interval: nanoseconds between two looks.
    public init(interval: Nanoseconds = .seconds(1)) {
        self.interval = interval
    }

    public func watch(files: Set<String>, directories: Set<String>) {
        Self.update(&self.files, to: files)
        Self.update(&self.directories, to: directories)
    }

    private static func update(_ known: inout [String: Signature?], to paths: Set<String>) {
        known = known.filter { paths.contains($0.key) }
        for path in paths where known[path] == nil { known.updateValue(Signature(path: path), forKey: path) }
    }

    public func changes() -> FileChanges {
        FileChanges(
            files: Set(Self.refresh(&files)), hasNewListing: !Self.refresh(&directories).isEmpty)
    }

    private static func refresh(_ known: inout [String: Signature?]) -> [String] {
        let changed = known.compactMap { path, former in Signature(path: path) == former ? nil : path }
        for path in changed { known.updateValue(Signature(path: path), forKey: path) }
        return changed
    }

    public func close() {}
}
