internal import Platform
internal import Supervision

/// What `--reload` needs in the arbiter: the files that workers report, those that the user names besides, a watcher
/// over both, and the patience to wait until they are all written. The arbiter polls its descriptors and gives it a
/// turn.
final class ReloadWatch {
    typealias Engine = ReloadEngine
    typealias Named = NamedFiles

    /// How much of the pipe one turn reads: a worker that writes without end must not keep the arbiter here.
    private static let mostReads = 64

    private var watcher: any FileWatcher
    private let reports: WakePipe
    private let expand: () -> Named
    private let warn: (String) -> Void
    private var reported = ReportedFiles()
    private var named: Named
    private var policy: ReloadPolicy
    private var changed: Set<String> = []
    /// When a watcher without a descriptor looks again; for one with, when it needs to though nothing became readable.
    private var nextLook: Nanoseconds?

    /// - Parameters:
    ///   - policy: how long files must be left alone.
    ///   - expand: finds the files that the user names; called here, and whenever something comes to one of the
    ///     directories or leaves it.
    ///   - warn: writes a line of the log.
    /// - Throws: `SystemError` when there are no descriptors for it.
    init(
        engine: Engine, policy: ReloadPolicy = ReloadPolicy(), at now: Nanoseconds, expand: @escaping () -> Named,
        warn: @escaping (String) -> Void
    ) throws(SystemError) {
        reports = try WakePipe()
        switch engine {
        case .poll: watcher = PollingWatcher()
        case .inotify:
            do throws(SystemError) {
                watcher = try InotifyWatcher()
            } catch {
                warn("Cannot watch files with inotify (\(error)); looking at them once a second instead.")
                watcher = PollingWatcher()
            }
        }
        self.policy = policy
        self.expand = expand
        self.warn = warn
        named = expand()
        nextLook = watcher.interval.map { now &+ $0 }
        watch()
    }

    /// Where workers report their files (`monoceros/reloader.py`). Not blocking; closed on exec.
    var reportDescriptor: Descriptor { reports.writer }

    /// When one of them is readable it is time for a turn. They can change with each one.
    var descriptors: [Descriptor] { [reports.descriptor] + (watcher.descriptor.map { [$0] } ?? []) }

    /// When it is time for a turn though nothing became readable; nil for never.
    var deadline: Nanoseconds? { [nextLook, policy.deadline].compactMap { $0 }.min() }

    /// Takes what came in. Never waits.
    ///
    /// - Returns: the files that changed, in order, when it is time to reload because of them; once. The list is empty
    ///   when the system lost count of them.
    func turn(at now: Nanoseconds) -> [String]? {
        if takeReports() { watch() }
        if watcher.descriptor != nil || nextLook.map({ now >= $0 }) ?? false { look(at: now) }
        guard policy.takeReload(at: now) else { return nil }
        defer { changed = [] }
        // A link may lead elsewhere by now.
        watch()
        return changed.sorted()
    }

    private func look(at now: Nanoseconds) {
        var changes = watcher.changes()
        if changes.hasNewListing {
            let former = named
            named = expand()
            changes.files.formUnion(named.files.subtracting(former.files))
            if named != former { watch() }
        }
        if !changes.files.isEmpty || changes.hasLostEvents {
            changed.formUnion(changes.files)
            policy.recordChange(at: now)
        }
        nextLook = watcher.interval.map { now &+ $0 }
    }

    /// - Returns: whether a file was reported that was not known.
    private func takeReports() -> Bool {
        var hasNew = false
        withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 1) { buffer in
            for _ in 0..<Self.mostReads {
                guard case .processed(let count)? = try? reports.descriptor.read(into: buffer), count > 0 else {
                    return
                }
                if reported.receive(buffer[..<count]) { hasNew = true }
            }
        }
        return hasNew
    }

    private func watch() {
        let files = reported.files.union(named.files)
        do throws(SystemError) {
            try watcher.watch(files: files, directories: named.directories)
        } catch {
            // ENOSPC: `fs.inotify.max_user_watches`.
            warn("Cannot watch \(files.count) files with inotify (\(error)); looking at them once a second instead.")
            watcher.close()
            let polling = PollingWatcher()
            polling.watch(files: files, directories: named.directories)
            watcher = polling
        }
    }

    /// For a child, and at the end: what the arbiter watches is not its business.
    func close() {
        watcher.close()
        reports.descriptor.close()
    }
}
