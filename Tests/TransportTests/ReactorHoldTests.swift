import HTTPWire
import Testing

@testable import Transport

/// The pilot's way: a thread that cannot run the application completes requests and holds them; another takes them up.
@Suite struct ReactorHoldTests {
    /// Completes requests without running them, then runs them.
    private func holdThenRun(
        _ loop: ForeignLoop, _ client: LoopbackClient, _ request: String, expecting lines: [String]
    ) {
        client.send(request)
        #expect(loop.serve { loop.hasHeldRequests })
        #expect(loop.handled.isEmpty)
        // The bench meanwhile served somebody else.
        bench(loop, parses: Request.get("/somebody-else"))
        loop.turn()
        let expected = Answer.texts(lines)
        #expect(loop.run { client.has(expected) })
        #expect(client.text == expected)
        #expect(loop.handled == lines)
        #expect(!loop.hasHeldRequests)
    }

    private func bench(_ loop: ForeignLoop, parses text: String) {
        let bytes = Array(text.utf8)
        bytes.withUnsafeBytes { loop.bench.buffer.copyMemory(from: $0) }
        let seen = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(loop.bench.buffer)[..<bytes.count])
        guard case .head? = try? loop.bench.parser.parse(seen.bytes, fromTrustedPeer: false) else {
            Issue.record("the bench did not parse")
            return
        }
    }

    @Test func holdsAHead() throws {
        let loop = try ForeignLoop()
        holdThenRun(loop, try loop.client(), Request.get("/a?q"), expecting: ["GET /a?q"])
    }

    @Test func holdsAnInlineBody() throws {
        let loop = try ForeignLoop()
        holdThenRun(loop, try loop.client(), Request.post("/a", "hello"), expecting: ["POST /a inline 5 hello"])
    }

    @Test func holdsABodyInMemory() throws {
        let loop = try ForeignLoop()
        holdThenRun(
            loop, try loop.client(), Request.chunked("/a", ["he", "llo"]), expecting: ["POST /a memory 5 hello"])
    }

    @Test func holdsABodyInAFile() throws {
        let loop = try ForeignLoop { $0.body.memory = 4 }
        holdThenRun(loop, try loop.client(), Request.chunked("/a", ["he", "llo"]), expecting: ["POST /a file 5 hello"])
    }

    @Test(arguments: [Request.get("/1"), Request.post("/1", "x"), Request.chunked("/1", ["x"])])
    func holdsWhatIsPipelined(first: String) throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send(first + Request.post("/2", "two") + "GET /3 HTTP/1.1\r\nHo")
        #expect(loop.serve { loop.hasHeldRequests })
        loop.turn()
        #expect(loop.run { loop.handled.count == 2 })
        #expect(loop.handled.first?.contains("/1") == true)
        #expect(loop.handled.last == "POST /2 inline 3 two")
        // The third goes on where the turn left it, again without a runner.
        client.send("st: a\r\n\r\n")
        #expect(loop.serve { loop.hasHeldRequests })
        loop.turn()
        #expect(loop.run { loop.handled.count == 3 })
        #expect(loop.handled.last == "GET /3")
        #expect(loop.run { client.has(Answer.texts(loop.handled)) })
        #expect(client.text == Answer.texts(loop.handled))
    }

    @Test func aRequestInPiecesIsHeldWhenItIsWhole() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Le")
        #expect(loop.serve { loop.reactor.connectionCount == 1 })
        client.send("ngth: 5\r\n\r\nhe")
        #expect(!loop.serve(milliseconds: 20) { loop.hasHeldRequests })
        client.send("llo")
        #expect(loop.serve { loop.hasHeldRequests })
        loop.turn()
        #expect(loop.run { loop.handled == ["POST /a memory 5 hello"] })
    }

    @Test func heldRequestsAreNoWorkForAThreadThatCannotRunThem() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send(Request.get("/a"))
        #expect(loop.serve { loop.hasHeldRequests })
        #expect(!loop.poll(milliseconds: 0, ignoringHeld: true))
        #expect(loop.poll(milliseconds: 10_000))
    }

    @Test func holdsTheRequestsOfManyInTheOrderInWhichTheyCame() throws {
        let loop = try ForeignLoop()
        let clients = try (0..<5).map { _ in try loop.client() }
        for (number, client) in clients.enumerated() {
            client.send(Request.get("/\(number)"))
            #expect(
                loop.serve {
                    loop.reactor.connections.count { $0.phase.kind == .held } == number + 1
                })
        }
        loop.turn()
        #expect(loop.handled == (0..<5).map { "GET /\($0)" })
    }
}
