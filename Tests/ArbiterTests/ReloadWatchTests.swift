import Glibc
import Platform
import Supervision
import Testing

@testable import Arbiter

/// Real files, and a clock that the test turns.
@Suite final class ReloadWatchTests {
    private let root: String
    private var now: Nanoseconds = .seconds(500)
    private var warnings: [String] = []

    init() throws {
        var template = Array("/tmp/monoceros-reload-XXXXXX".utf8CString)
        root = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        for name in ["a.py", "b.py", "t.html", "new.html"] { unlink("\(root)/\(name)") }
        rmdir(root)
    }

    private func write(_ text: String, to name: String) {
        let descriptor = creat("\(root)/\(name)", 0o600)
        var text = text
        _ = text.withUTF8 { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
    }

    private func watch(
        _ engine: ReloadWatch.Engine, expand: @escaping () -> ReloadWatch.Named = { .init() }
    ) throws -> ReloadWatch {
        try ReloadWatch(engine: engine, at: now, expand: expand) { [unowned self] in warnings.append($0) }
    }

    private func report(_ names: [String], to watch: ReloadWatch) throws {
        let bytes = Array(names.map { "\(root)/\($0)\0" }.joined().utf8)
        try bytes.withUnsafeBytes { try watch.reportDescriptor.writeAll($0) }
    }

    /// What the next turns say, one at each deadline, for as long as ten seconds of the fake clock.
    private func nextReload(_ watch: ReloadWatch) -> [String]? {
        let end = now + .seconds(10)
        while now < end {
            if let files = watch.turn(at: now) { return files }
            now = max(now + 1, watch.deadline ?? end)
        }
        return nil
    }

    @Test(arguments: [ReloadWatch.Engine.inotify, .poll])
    func aReportedFileThatChangesIsAReload(_ engine: ReloadWatch.Engine) throws {
        write("1", to: "a.py")
        write("1", to: "b.py")
        let watch = try watch(engine)
        defer { watch.close() }
        #expect(watch.turn(at: now) == nil)
        try report(["a.py", "b.py"], to: watch)
        #expect(nextReload(watch) == nil)
        write("22", to: "b.py")
        write("22", to: "a.py")
        #expect(nextReload(watch) == ["\(root)/a.py", "\(root)/b.py"])
        #expect(nextReload(watch) == nil)
        #expect(warnings == [])
    }

    @Test func itWaitsUntilTheFilesAreLeftAlone() throws {
        write("1", to: "a.py")
        let watch = try watch(.inotify)
        defer { watch.close() }
        try report(["a.py"], to: watch)
        #expect(watch.turn(at: now) == nil)
        write("22", to: "a.py")
        #expect(watch.turn(at: now) == nil)
        let deadline = try #require(watch.deadline)
        #expect(deadline > now)
        #expect(watch.turn(at: deadline - 1) == nil)
        #expect(watch.turn(at: deadline) == ["\(root)/a.py"])
        #expect(watch.deadline == nil)
    }

    @Test(arguments: [ReloadWatch.Engine.inotify, .poll])
    func aFileThatComesToMatchAPatternIsAReload(_ engine: ReloadWatch.Engine) throws {
        let root = root
        write("1", to: "t.html")
        var names = ["t.html"]
        let watch = try watch(engine) {
            ReloadWatch.Named(files: Set(names.map { "\(root)/\($0)" }), directories: [root])
        }
        defer { watch.close() }
        // Beside the pattern.
        write("1", to: "b.py")
        #expect(nextReload(watch) == nil)
        names.append("new.html")
        write("1", to: "new.html")
        #expect(nextReload(watch) == ["\(root)/new.html"])
        write("22", to: "new.html")
        #expect(nextReload(watch) == ["\(root)/new.html"])
    }

    @Test func theDescriptorsTellWhenThereIsSomething() throws {
        write("1", to: "a.py")
        let watch = try watch(.inotify)
        defer { watch.close() }
        func isReady() -> Bool { watch.descriptors.contains { $0.waitUntilReadable(milliseconds: 0) } }
        #expect(watch.descriptors.count == 2)
        #expect(!isReady())
        try report(["a.py"], to: watch)
        #expect(isReady())
        #expect(watch.turn(at: now) == nil)
        #expect(!isReady())
        write("22", to: "a.py")
        #expect(isReady())
        #expect(watch.turn(at: now) == nil)
        #expect(!isReady())
    }

    @Test func aPollingWatchLooksOnceASecondHoweverOftenItIsAsked() throws {
        write("1", to: "a.py")
        let watch = try watch(.poll)
        defer { watch.close() }
        #expect(watch.descriptors.count == 1)
        try report(["a.py"], to: watch)
        #expect(watch.turn(at: now) == nil)
        write("22", to: "a.py")
        #expect(watch.turn(at: now + .milliseconds(999)) == nil)
        #expect(watch.deadline == now + .seconds(1))
        #expect(watch.turn(at: now + .seconds(1)) == nil)
        #expect(watch.turn(at: now + .milliseconds(1100)) == ["\(root)/a.py"])
    }
}
