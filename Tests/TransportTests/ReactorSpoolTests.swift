import HTTPWire
import Platform
import Testing

@testable import Transport

/// The disk's thread and the budgets, around a reactor.
@Suite struct ReactorSpoolTests {
    private func upload(_ bytes: [UInt8], from client: LoopbackClient, _ loop: ForeignLoop) {
        var rest = bytes[...]
        _ = loop.run(milliseconds: 20_000) {
            rest = rest.dropFirst(client.offer(rest))
            return rest.isEmpty
        }
    }

    private func head(_ count: Int) -> [UInt8] {
        Array("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n".utf8)
    }

    @Test func anAnnouncedBodyPastTheLimitIsRefusedBeforeItIsRead() throws {
        let loop = try ForeignLoop { $0.spoolAllowance = try! SpoolAllowance(limit: 100_000) }
        let client = try loop.client()
        client.send(String(decoding: head(100_001), as: UTF8.self))
        #expect(loop.run { client.has(count: 200) })
        #expect(client.text.hasPrefix("HTTP/1.1 503 "))
        #expect(client.text.contains("\r\nRetry-After: ") && client.text.contains("spool-full"))
        #expect(loop.handled.isEmpty)
    }

    @Test func whatBodiesHadInFilesIsGivenBack() throws {
        let loop = try ForeignLoop { $0.spoolAllowance = try! SpoolAllowance(limit: 200_000) }
        for _ in 0..<3 {
            let client = try loop.client()
            let body = pattern(150_000)
            upload(head(body.count) + body, from: client, loop)
            #expect(loop.run { client.has(Answer.text(Answer.line("POST", "/a", "file", body))) })
        }
        #expect(loop.run { loop.reactor.budgets(loop.baton).spooled == 0 })
    }

    /// The figures follow what clients send and take, down to nothing.
    @Test func theBudgetCountsWhatIsThere() throws {
        let loop = try ForeignLoop { $0.bufferMemory = 1 << 20 }
        let first = try loop.client()
        first.send("GET /a HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "y", count: 2000))
        let second = try loop.client()
        second.send(String(decoding: head(5000) + pattern(4000), as: UTF8.self))
        #expect(
            loop.run {
                let budgets = loop.reactor.budgets(loop.baton)
                return budgets.heads > 2000 && budgets.bodies == 4000
            })
        #expect(loop.reactor.budgets(loop.baton).memoryLimit == 1 << 20)
        first.close()
        second.close()
        #expect(
            loop.run {
                let budgets = loop.reactor.budgets(loop.baton)
                return budgets.heads == 0 && budgets.bodies == 0 && budgets.responses == 0
            })
    }

    @Test func pastTheBudgetTheSlowestHeadIsClosed() throws {
        let loop = try ForeignLoop { $0.bufferMemory = 40_000 }
        let fields = (0..<4).map { "X-\($0): \(String(repeating: "y", count: 4000))\r\n" }.joined()
        let start = "GET /a HTTP/1.1\r\nHost: a\r\n" + fields
        let clients = try (0..<4).map { _ in try loop.client() }
        for client in clients {
            client.send(start)
            for _ in 0..<3 { loop.turn() }
        }
        #expect(loop.run { clients[0].hasEnded() })
        #expect(loop.run { loop.reactor.budgets(loop.baton).heads <= 40_000 })
        // Who goes on is served.
        clients[3].send("\r\n")
        #expect(loop.run { clients[3].has(Answer.text("GET /a")) })
    }

    /// Past the budget, bodies that would stay in memory go to files.
    @Test func pastTheBudgetBodiesGoToFiles() throws {
        let loop = try ForeignLoop { $0.bufferMemory = 1000 }
        let client = try loop.client()
        let body = pattern(30_000)
        client.send(String(decoding: head(body.count) + body[..<20_000], as: UTF8.self))
        for _ in 0..<3 { loop.turn() }
        upload(Array(body[20_000...]), from: client, loop)
        #expect(loop.run { client.has(Answer.text(Answer.line("POST", "/a", "file", body))) })
    }

    /// A connection ends while the disk has its file: its number is nobody else's before that is over.
    @Test func connectionsThatEndAtTheDiskHarmNobody() throws {
        let loop = try ForeignLoop()
        let size = 8 << 20
        let content = pattern(size)
        loop.handle = { connection, loop in
            let file = try! Descriptor.unnamedFile(in: "/tmp")
            content.withUnsafeBytes { try! file.writeAll($0) }
            connection.outbox.append(FilePart(.owned(file), offset: 0, count: size, spool: connection.spool))
            loop.finish(connection, persist: false)
        }
        for round in 0..<20 {
            let leaving = try loop.client(receiveBuffer: 65_536)
            leaving.send(Request.get("/leaves"))
            for _ in 0..<(round % 4) { loop.turn() }
            leaving.reset()
        }
        let staying = try loop.client()
        staying.send(Request.get("/stays"))
        #expect(loop.run(milliseconds: 20_000) { staying.hasEnded() })
        #expect(staying.received == content)
        #expect(loop.run { loop.reactor.connectionCount == 0 })
    }
}
