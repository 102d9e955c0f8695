import Glibc
import Testing

@testable import Platform

/// Both engines over real files in a temporary directory: they must agree on what a change is.
@Suite final class FileWatcherTests {
    private let root: String
    private var file: String { root + "/a.py" }

    init() throws {
        var template = Array("/tmp/monoceros-watch-XXXXXX".utf8CString)
        root = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        for name in ["a.py", "a.py~", "b.py", "link.py", "p/m.py", "q/m.py", "current"] { unlink("\(root)/\(name)") }
        for name in ["p", "q"] { rmdir("\(root)/\(name)") }
        rmdir(root)
    }

    enum Engine: CaseIterable { case inotify, poll }

    private func watcher(_ engine: Engine) throws -> any FileWatcher {
        switch engine {
        case .inotify: try InotifyWatcher()
        case .poll: PollingWatcher()
        }
    }

    /// Writes in place, as a program that opens, writes and closes does.
    private func write(_ text: String, to path: String) {
        let descriptor = creat(path, 0o600)
        var text = text
        _ = text.withUTF8 { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
    }

    @Test(arguments: Engine.allCases)
    func seesAFileWrittenInPlace(_ engine: Engine) throws {
        write("1", to: file)
        let watcher = try watcher(engine)
        defer { watcher.close() }
        try watcher.watch(files: [file], directories: [])
        #expect(watcher.changes().isEmpty)
        write("22", to: file)
        #expect(watcher.changes() == FileChanges(files: [file]))
        #expect(watcher.changes().isEmpty)
    }

    @Test(arguments: Engine.allCases)
    func seesAFileThatIsRenamedOverIt(_ engine: Engine) throws {
        write("1", to: file)
        let watcher = try watcher(engine)
        defer { watcher.close() }
        try watcher.watch(files: [file], directories: [])
        for _ in 0..<3 {
            write("2", to: file + "~")
            rename(file + "~", file)
            #expect(watcher.changes().files == [file])
        }
    }

    @Test(arguments: Engine.allCases)
    func seesAFileComeAndGo(_ engine: Engine) throws {
        let watcher = try watcher(engine)
        defer { watcher.close() }
        try watcher.watch(files: [file], directories: [])
        #expect(watcher.changes().isEmpty)
        write("1", to: file)
        #expect(watcher.changes().files == [file])
        unlink(file)
        #expect(watcher.changes().files == [file])
    }

    @Test(arguments: Engine.allCases)
    func ignoresTheFilesBesideIt(_ engine: Engine) throws {
        write("1", to: file)
        let watcher = try watcher(engine)
        defer { watcher.close() }
        try watcher.watch(files: [file], directories: [])
        write("1", to: root + "/b.py")
        mkdir(root + "/p", 0o700)
        #expect(watcher.changes().isEmpty)
    }

    @Test(arguments: Engine.allCases)
    func saysThatAListingChanged(_ engine: Engine) throws {
        write("1", to: file)
        let watcher = try watcher(engine)
        defer { watcher.close() }
        try watcher.watch(files: [file], directories: [root])
        #expect(watcher.changes().isEmpty)
        write("1", to: root + "/b.py")
        #expect(watcher.changes() == FileChanges(hasNewListing: true))
        // Now it is watched, and the one before still is.
        try watcher.watch(files: [file, root + "/b.py"], directories: [root])
        #expect(watcher.changes().isEmpty)
        write("22", to: root + "/b.py")
        write("22", to: file)
        #expect(watcher.changes().files == [file, root + "/b.py"])
    }

    @Test(arguments: Engine.allCases)
    func followsALinkToItsTarget(_ engine: Engine) throws {
        mkdir(root + "/p", 0o700)
        write("1", to: root + "/p/m.py")
        #expect(symlink("p/m.py", root + "/link.py") == 0)
        let watcher = try watcher(engine)
        defer { watcher.close() }
        try watcher.watch(files: [root + "/link.py"], directories: [])
        write("22", to: root + "/p/m.py")
        #expect(watcher.changes().files == [root + "/link.py"])
        // And the link itself may be pointed elsewhere.
        write("333", to: file)
        unlink(root + "/link.py")
        #expect(symlink("a.py", root + "/link.py") == 0)
        #expect(watcher.changes().files == [root + "/link.py"])
    }

    @Test(arguments: Engine.allCases)
    func seesALinkToADirectoryPointedElsewhere(_ engine: Engine) throws {
        for name in ["p", "q"] {
            mkdir("\(root)/\(name)", 0o700)
            write(name, to: "\(root)/\(name)/m.py")
        }
        let link = root + "/current"
        #expect(symlink("p", link) == 0)
        let watcher = try watcher(engine)
        defer { watcher.close() }
        try watcher.watch(files: [link + "/m.py"], directories: [])
        #expect(watcher.changes().isEmpty)
        // As a deployment does it: the new link is renamed over the old one.
        #expect(symlink("q", root + "/next") == 0)
        rename(root + "/next", link)
        #expect(watcher.changes().files == [link + "/m.py"])
        // What it led to is of no interest from the next call on; where it leads now is at once.
        write("22", to: root + "/q/m.py")
        #expect(watcher.changes().files == [link + "/m.py"])
        try watcher.watch(files: [link + "/m.py"], directories: [])
        write("333", to: root + "/p/m.py")
        #expect(watcher.changes().isEmpty)
        write("4444", to: root + "/q/m.py")
        #expect(watcher.changes().files == [link + "/m.py"])
    }

    @Test(arguments: Engine.allCases)
    func aDirectoryThatIsReplacedIsWatchedAgain(_ engine: Engine) throws {
        mkdir(root + "/p", 0o700)
        write("1", to: root + "/p/m.py")
        let watcher = try watcher(engine)
        defer { watcher.close() }
        try watcher.watch(files: [root + "/p/m.py"], directories: [])
        rename(root + "/p", root + "/q")
        #expect(watcher.changes().files == [root + "/p/m.py"])
        // In its new place it is nobody's business.
        write("22", to: root + "/q/m.py")
        #expect(watcher.changes().files == [])
        #expect(watcher.interval != nil)
        mkdir(root + "/p", 0o700)
        write("333", to: root + "/p/m.py")
        #expect(watcher.changes().files == [root + "/p/m.py"])
        write("4444", to: root + "/p/m.py")
        #expect(watcher.changes().files == [root + "/p/m.py"])
    }

    @Test(arguments: Engine.allCases)
    func whatIsNoLongerWatchedIsNotReported(_ engine: Engine) throws {
        write("1", to: file)
        write("1", to: root + "/b.py")
        let watcher = try watcher(engine)
        defer { watcher.close() }
        try watcher.watch(files: [file, root + "/b.py"], directories: [])
        try watcher.watch(files: [root + "/b.py"], directories: [])
        write("22", to: file)
        #expect(watcher.changes().isEmpty)
        write("22", to: root + "/b.py")
        #expect(watcher.changes().files == [root + "/b.py"])
        try watcher.watch(files: [], directories: [])
        write("333", to: root + "/b.py")
        #expect(watcher.changes().isEmpty)
    }

    @Test func theKernelMakesTheDescriptorReadable() throws {
        write("1", to: file)
        let watcher = try InotifyWatcher()
        defer { watcher.close() }
        try watcher.watch(files: [file], directories: [])
        let descriptor = try #require(watcher.descriptor)
        #expect(!descriptor.waitUntilReadable(milliseconds: 0))
        #expect(watcher.interval == nil)
        write("22", to: file)
        #expect(descriptor.waitUntilReadable(milliseconds: 30_000))
        #expect(fcntl(descriptor.rawValue, F_GETFD) & FD_CLOEXEC != 0)
        #expect(!watcher.changes().isEmpty)
        #expect(!descriptor.waitUntilReadable(milliseconds: 0))
    }

    @Test func eventsThatWereLostAreSaid() throws {
        write("1", to: file)
        let watcher = try InotifyWatcher()
        defer { watcher.close() }
        try watcher.watch(files: [file], directories: [])
        // More than `fs.inotify.max_queued_events`. Equal events in a row are one, so two names take turns.
        var most = 16384
        if let limit = fopen("/proc/sys/fs/inotify/max_queued_events", "r") {
            var digits = [CChar](repeating: 0, count: 32)
            if fgets(&digits, 32, limit) != nil { most = atol(digits) }
            fclose(limit)
        }
        write("1", to: root + "/b.py")
        for _ in 0...(most / 2 + 1) {
            chmod(file, 0o600)
            chmod(root + "/b.py", 0o600)
        }
        var changes = FileChanges()
        for _ in 0...most where !changes.hasLostEvents {
            let more = watcher.changes()
            if more.isEmpty { break }
            changes.files.formUnion(more.files)
            changes.hasLostEvents = more.hasLostEvents
        }
        #expect(changes.hasLostEvents)
        #expect(changes.files == [file])
    }
}
