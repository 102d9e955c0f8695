import Platform
import Synchronization
import Testing

@testable import Transport

/// Jobs of the disk's thread that end before their file does: the rest follows, and every byte comes once.
@Suite struct FileSendTests {
    private func file(_ content: [UInt8]) throws -> Descriptor {
        let file = try Descriptor.unnamedFile(in: "/tmp")
        try content.withUnsafeBytes { try file.writeAll($0) }
        return file
    }

    /// Answers each request with a file of its own, of which `count` bytes are promised.
    private func loop(_ content: [UInt8], count: Int) throws -> ForeignLoop {
        let loop = try ForeignLoop()
        loop.handle = { connection, loop in
            let part = FilePart(.owned(try! file(content)), offset: 0, count: count, spool: connection.spool)
            connection.outbox.append(part)
            loop.finish(connection, persist: false)
        }
        return loop
    }

    /// Each of them keeps the disk's thread from doing more than a piece for the others, and their sockets are full
    /// again and again.
    @Test func filesThatWaitForEachOtherArriveWhole() throws {
        let content = pattern(6_000_001)
        let loop = try loop(content, count: content.count)
        let clients = try (0..<4).map { try loop.client(receiveBuffer: $0 < 2 ? 65_536 : nil) }
        for client in clients { client.send(Request.get("/a")) }
        #expect(loop.run(milliseconds: 20_000) { clients.map { $0.hasEnded() } == [true, true, true, true] })
        for client in clients { #expect(client.received == content) }
    }

    /// The client leaves some in the socket, so that a job ends there, and takes the rest later.
    @Test func aFullSocketEndsAJobAndNothingElse() throws {
        let content = pattern(8_000_000)
        let loop = try loop(content, count: content.count)
        let client = try loop.client(receiveBuffer: 65_536)
        client.send(Request.get("/a"))
        #expect(loop.run { loop.reactor.connections.contains { $0.phase.kind == .draining && $0.isWatched } })
        // The disk's thread has nothing to do once the socket takes no more.
        #expect(loop.run { !loop.reactor.connections.contains { $0.isSocketAtDisk.load(ordering: .relaxed) } })
        #expect(loop.reactor.connectionCount == 1 && client.received.isEmpty)
        #expect(loop.run(milliseconds: 20_000) { client.hasEnded() })
        #expect(client.received == content)
    }

    /// The file has fewer bytes than were promised: nothing is made up for those that are missing.
    @Test(arguments: [1, 600_000, 3_000_000])
    func aFileThatHasEndedEndsItsConnection(missing: Int) throws {
        let content = pattern(4_000_000)
        let loop = try loop(content, count: content.count + missing)
        let client = try loop.client()
        client.send(Request.get("/a"))
        #expect(loop.run(milliseconds: 20_000) { client.hasEnded() })
        #expect(client.received == content)
        let notices = loop.notices
        #expect(notices.count == 1 && notices[0].text.contains("became shorter"))
        #expect(notices[0].text.contains(" \(missing) bytes are missing"))
        #expect(loop.reactor.connectionCount == 0)
    }
}
