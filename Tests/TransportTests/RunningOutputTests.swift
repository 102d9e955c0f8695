import Glibc
import Platform
import Synchronization
import Testing

@testable import Transport

/// The output of a running request, which runner, reactor and disk's thread send by turns.
@Suite struct RunningOutputTests {
    private static let size = 8 << 20

    /// A request that runs until the test ends it.
    private struct Running {
        let loop: ForeignLoop
        let client: LoopbackClient
        let connection: Connection
        /// Its number may be another socket's once it is closed.
        private let inode: UInt

        init(receiveBuffer: Int32? = 65_536) throws {
            let loop = try ForeignLoop()
            var running: [Connection] = []
            loop.handle = { connection, _ in running.append(connection) }
            client = try loop.client(receiveBuffer: receiveBuffer)
            client.send(Request.get("/a"))
            try #require(loop.run { running.count == 1 })
            connection = running[0]
            inode = Self.inode(of: connection.channel.socket) ?? 0
            self.loop = loop
        }

        /// What the runner does with part of a file.
        func transmit(_ content: [UInt8], count: Int, in directory: String = "/tmp") throws {
            let file = try Descriptor.unnamedFile(in: directory)
            try content.withUnsafeBytes { (bytes) throws in try file.writeAll(bytes) }
            var releases: [UnsafeMutableRawPointer] = []
            try connection.transmit(file: file, offset: 0, count: count, releasing: &releases)
        }

        /// What the runner's next block meets with; nil where it is sent, or waits.
        func failure(ofNext text: String) -> OutputFailure? {
            var releases: [UnsafeMutableRawPointer] = []
            return Array(text.utf8).withUnsafeBytes { bytes in
                do throws(OutputFailure) {
                    try connection.transmit(bytes, releasing: &releases)
                    return nil
                } catch {
                    return error
                }
            }
        }

        var isSocketAtDisk: Bool { connection.isSocketAtDisk.load(ordering: .acquiring) }
        var isSocketOpen: Bool { Self.inode(of: connection.channel.socket) == inode }

        private static func inode(of descriptor: Descriptor) -> UInt? {
            var status = stat()
            return fstat(descriptor.rawValue, &status) == 0 ? status.st_ino : nil
        }

        /// Turns in which the reactor takes back what the disk's thread has, and what comes of that.
        func settle() {
            for _ in 0..<3 {
                loop.turn()
                #expect(loop.run { connection.spool.isIdle })
            }
            loop.turn()
        }
    }

    /// The disk's thread meets with the error, and the reactor takes its job back. It is the runner's to know: it would
    /// have the next job made, of which the reactor hears again, and run for ever.
    @Test func aRunnerHearsOfAClientThatLeftWhileTheDiskSent() throws {
        let running = try Running()
        try running.transmit(pattern(Self.size), count: Self.size)
        #expect(running.loop.run { running.connection.pendingOutputCount < Self.size })
        #expect(running.connection.pendingOutputCount > 0)
        running.client.reset()
        #expect(running.loop.run { running.connection.hungUp })
        running.settle()
        let waiting = running.connection.pendingOutputCount
        let failure = try #require(running.failure(ofNext: "more"))
        guard case .disconnected = failure.cause else { throw failure }
        #expect(failure.unsentCount == waiting + "more".utf8.count)
        #expect(!running.connection.hasPendingOutput)
        running.loop.finish(running.connection, persist: false)
        #expect(running.loop.run { running.loop.reactor.connectionCount == 0 })
    }

    /// The same for a file that has fewer bytes than were promised, of which nobody but the server knows.
    @Test func aRunnerHearsOfAFileThatEndedWhileTheDiskSent() throws {
        let missing = 1_000_000
        let running = try Running(receiveBuffer: nil)
        try running.transmit(pattern(Self.size), count: Self.size + missing)
        #expect(running.loop.run(milliseconds: 20_000) { running.client.has(count: Self.size) })
        #expect(running.loop.run { running.connection.pendingOutputCount == missing })
        running.settle()
        #expect(running.failure(ofNext: "") == OutputFailure(cause: .fileEnded, unsentCount: missing))
        running.loop.finish(running.connection, persist: false)
        #expect(running.loop.run { running.loop.reactor.connectionCount == 0 })
    }

    /// While it is written to the file, the reactor hears that the socket takes more, and has nothing to send. It is
    /// not told again of its own accord, and the application may go on without a word.
    @Test(arguments: [true, false])
    func whatWasMovedToAFileIsSentWithoutTheRunner(isWritten: Bool) throws {
        let running = try Running()
        let connection = running.connection
        let content = pattern(Self.size)
        var releases: [UnsafeMutableRawPointer] = []
        for start in stride(from: 0, to: Self.size, by: 100_000) {
            try content[start..<min(start + 100_000, Self.size)].withUnsafeBytes { (bytes) throws in
                try connection.transmit(bytes, releasing: &releases)
            }
        }
        let begun = connection.beginSpill(keeping: 1)
        let (spill, file) = try #require(begun)
        let rest = spill.count
        #expect(running.loop.run { running.client.has(count: Self.size - rest) })
        for segment in spill.segments where isWritten {
            guard case .copy(let store, 0) = segment else { throw SystemError(.invalidArgument, call: "spill") }
            try file.write(store.bytes)
        }
        connection.endSpill(spill, in: file, at: isWritten ? 0 : nil, releasing: &releases)
        try #require(running.loop.run(milliseconds: 20_000) { running.client.has(count: Self.size) })
        let isWhole = running.client.received == content
        #expect(isWhole)
        #expect(!connection.hasPendingOutput)
        running.loop.finish(connection, persist: false)
        #expect(running.loop.run { running.client.hasEnded() })
    }

    /// What was given up with one response is forgotten with it.
    @Test func aFailureEndsWithWhatWasGivenUp() throws {
        var outbox = Outbox()
        var releases: [UnsafeMutableRawPointer] = []
        var pair: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &pair) == 0)
        let ends = pair.map { Descriptor(rawValue: $0) }
        defer { ends[0].close() }
        Array("a".utf8).withUnsafeBytes { outbox.append(copying: $0) }
        ends[1].close()
        for _ in 0..<2 {
            let error = #expect(throws: SystemError.self) {
                try outbox.flush(to: Channel(socket: ends[0]), releasing: &releases)
            }
            #expect(error?.errno == .brokenPipe)
        }
        outbox.discard(releasing: &releases)
        #expect(try outbox.flush(to: Channel(socket: ends[0]), releasing: &releases) == .done)
    }

    /// The runner sees that a job is done before the reactor takes it back, and has the next one made. Until that is
    /// done, too, the socket's number must not become another client's.
    @Test func aSocketIsAtTheDiskUntilTheLastOfItsJobsIsDone() throws {
        let running = try Running()
        let connection = running.connection
        // Where the system cannot tell what it has in memory, each piece is a job.
        try running.transmit(pattern(Self.size), count: Self.size, in: "/dev/shm")
        var releases: [UnsafeMutableRawPointer] = []
        #expect(try connection.sendPending(releasing: &releases) == .needsDisk)
        let deadline = Clock.now() + .seconds(9)
        while !(connection.spool.hasReturned && connection.spool.isIdle), Clock.now() < deadline { Thread.yield() }
        try #require(connection.spool.hasReturned)
        let disk = StalledDisk(of: connection.spool)
        defer { disk.goOn() }
        var flush = Outbox.Flush.full
        while flush != .needsDisk, Clock.now() < deadline {
            running.client.receive()
            flush = try connection.sendPending(releasing: &releases)
        }
        try #require(flush == .needsDisk && running.isSocketAtDisk)
        // The first of the two comes back.
        running.loop.turn()
        #expect(!connection.spool.hasReturned)
        #expect(running.isSocketAtDisk)
        running.loop.finish(connection, persist: false)
        running.client.reset()
        #expect(running.loop.run { running.loop.reactor.connectionCount == 0 })
        #expect(running.isSocketOpen)
        disk.goOn()
        #expect(running.loop.run { !running.isSocketOpen })
    }
}
