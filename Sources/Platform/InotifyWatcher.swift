internal import CSystem
internal import Glibc

/// A watcher that the kernel tells about changes (`inotify(7)`).
///
/// Directories are watched, not files: an editor writes a new file and renames it over the old one, and a watch on the
/// old one would stay with it.
public final class InotifyWatcher: FileWatcher {
    private static let interesting =
        IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF
    /// How many nanoseconds to leave between attempts to watch a directory that is not there.
    private static let retryInterval = Nanoseconds.seconds(1)
    /// How many buffers of events one call takes: who changes files faster than we read must not keep us here.
    private static let mostReads = 64

    private let inotify: Descriptor
    public var descriptor: Descriptor? { inotify }
    public var interval: Nanoseconds? { missing.isEmpty ? nil : Self.retryInterval }

    /// The names that matter in a directory, and the watched files for which they stand: a link stands for itself where
    /// it is, and its target's name where that is.
    private typealias Names = [String: Set<String>]
    private var names: [String: Names] = [:]
    /// Directories whose listing matters.
    private var listed: Set<String> = []
    /// The kernel has one watch for a directory, however many paths lead to it.
    private var paths: [Int32: Set<String>] = [:]
    /// Links to directories on the way to what is watched, by the directory in which they stand.
    private var links: [String: Set<String>] = [:]
    /// Directories that ought to be watched and are not there.
    private var missing: Set<String> = []

    public init() throws(SystemError) {
        inotify = Descriptor(
            rawValue: try systemCall("inotify_init1") {
                inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
            })
    }

    public func watch(files: Set<String>, directories: Set<String>) throws(SystemError) {
        var names: [String: Names] = [:]
        for file in files {
            for path in Set([file, Self.target(of: file)]) {
                guard let (directory, name) = Self.split(path) else { continue }
                names[directory, default: [:]][name, default: []].insert(file)
            }
        }
        links = [:]
        for link in Self.links(to: Set(names.keys).union(directories)) {
            if let (directory, name) = Self.split(link) { links[directory, default: []].insert(name) }
        }
        let wanted = Set(names.keys).union(directories).union(links.keys)
        for (watch, watched) in paths {
            let kept = watched.intersection(wanted)
            if kept.isEmpty { inotify_rm_watch(inotify.rawValue, watch) }
            paths[watch] = kept.isEmpty ? nil : kept
        }
        self.names = names
        listed = directories
        missing.formIntersection(wanted)
        let known = paths.values.reduce(into: missing) { $0.formUnion($1) }
        for directory in wanted.subtracting(known) where try !add(directory) { missing.insert(directory) }
    }

    /// - Returns: false when the directory is not there.
    private func add(_ directory: String) throws(SystemError) -> Bool {
        do throws(SystemError) {
            let watch = try systemCall("inotify_add_watch") {
                inotify_add_watch(inotify.rawValue, directory, UInt32(Self.interesting) | UInt32(IN_ONLYDIR))
            }
            paths[watch, default: []].insert(directory)
            return true
        } catch {
            switch error.errno {
            case .noSuchFile, .notADirectory, .permissionDenied: return false
            default: throw error
            }
        }
    }

    public func changes() -> FileChanges {
        var changes = FileChanges()
        withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 8) { buffer in
            for _ in 0..<Self.mostReads {
                guard case .processed(let count)? = try? inotify.read(into: buffer), count > 0 else { break }
                take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), into: &changes)
            }
        }
        for directory in missing {
            // A failure to watch one more is met again at the next call.
            guard let isThere = try? add(directory), isThere else { continue }
            missing.remove(directory)
            note(directory, into: &changes)
        }
        return changes
    }

    /// Reads a run of `struct inotify_event`: watch, mask, cookie and length of 4 bytes each, and the name in NULs.
    private func take(_ events: UnsafeRawBufferPointer, into changes: inout FileChanges) {
        var offset = 0
        while events.count - offset >= 16 {
            let watch = events.loadUnaligned(fromByteOffset: offset, as: Int32.self)
            let mask = events.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
            let length = Int(events.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            let start = offset + 16
            guard length <= events.count - start else { break }
            let name = String(decoding: events[start..<start + length].prefix { $0 != 0 }, as: UTF8.self)
            take(watch, mask, name, into: &changes)
            offset = start + length
        }
    }

    private func take(_ watch: Int32, _ mask: UInt32, _ name: String, into changes: inout FileChanges) {
        if mask & UInt32(IN_Q_OVERFLOW) != 0 {
            changes.hasLostEvents = true
            return
        }
        // An event of a watch that was given up in the meantime has no paths.
        for directory in paths[watch] ?? [] {
            if mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT) != 0 {
                // What it has become elsewhere is of no interest; what will stand here is.
                missing.insert(directory)
                note(directory, into: &changes)
                continue
            }
            if let files = names[directory]?[name] { changes.files.formUnion(files) }
            if let names = links[directory], names.contains(name) { leave(Self.join(directory, name), into: &changes) }
            let isListing = mask & UInt32(IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM) != 0
            if isListing, listed.contains(directory) { changes.hasNewListing = true }
        }
        if mask & UInt32(IN_MOVE_SELF) != 0 { inotify_rm_watch(inotify.rawValue, watch) }
        if mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT) != 0 { paths[watch] = nil }
    }

    /// What is reached through a link has to be looked up again: the watches stay with what it led to.
    private func leave(_ link: String, into changes: inout FileChanges) {
        for (watch, watched) in paths {
            let gone = watched.filter { $0 == link || $0.hasPrefix(link + "/") }
            if gone.isEmpty { continue }
            let kept = watched.subtracting(gone)
            if kept.isEmpty { inotify_rm_watch(inotify.rawValue, watch) }
            paths[watch] = kept.isEmpty ? nil : kept
            missing.formUnion(gone)
            for directory in gone { note(directory, into: &changes) }
        }
    }

    /// Everything in a directory has changed: it came, or went.
    private func note(_ directory: String, into changes: inout FileChanges) {
        for files in (names[directory] ?? [:]).values { changes.files.formUnion(files) }
        if listed.contains(directory) { changes.hasNewListing = true }
    }

    public func close() {
        inotify.close()
    }

    /// The directory and the name in it; nil for a path that is not absolute, or is the root.
    private static func split(_ path: String) -> (directory: String, name: String)? {
        guard path.utf8.first == UInt8(ascii: "/"), let slash = path.lastIndex(of: "/") else { return nil }
        let name = path[path.index(after: slash)...]
        return name.isEmpty ? nil : (slash == path.startIndex ? "/" : String(path[..<slash]), String(name))
    }

    private static func join(_ directory: String, _ name: String) -> String {
        directory == "/" ? "/" + name : directory + "/" + name
    }

    /// Which of these directories, and of those above them, are symbolic links.
    private static func links(to directories: Set<String>) -> Set<String> {
        var links: Set<String> = []
        var seen: Set<String> = ["/"]
        for directory in directories {
            var path = directory
            while seen.insert(path).inserted, let (parent, _) = split(path) {
                var status = stat()
                if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK { links.insert(path) }
                path = parent
            }
        }
        return links
    }

    /// Where a link leads in the end; the path itself when there is nothing.
    private static func target(of path: String) -> String {
        guard let target = realpath(path, nil) else { return path }
        defer { free(target) }
        return String(cString: target)
    }
}
