import HTTPWire
import Testing

@testable import Transport

/// From bytes, however they are cut, to complete requests; and what is refused on the way.
@Suite struct ReactorReceiveTests {
    /// Sends piece by piece: each waits until the reactor has read the one before.
    private func send(_ pieces: [String], from client: LoopbackClient, to loop: ForeignLoop) {
        for piece in pieces {
            client.send(piece)
            for _ in 0..<3 { loop.turn() }
        }
    }

    @Test(arguments: [
        (Request.get("/a", fields: "X: y\r\n"), "GET /a"),
        (Request.post("/a", "hello"), "POST /a memory 5 hello"),
        (Request.chunked("/a", ["hel", "lo"]), "POST /a memory 5 hello"),
    ])
    func aRequestMayComeByteByByte(request: String, line: String) throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        send(request.map(String.init), from: client, to: loop)
        #expect(loop.run { client.has(Answer.text(line)) })
        #expect(client.text == Answer.text(line))
    }

    /// The second request begins in the read that ends the first.
    @Test func piecesMayStraddleRequests() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        let all = Request.post("/1", "one") + Request.chunked("/2", ["two"]) + Request.get("/3")
        let bytes = Array(all)
        for step in [7, 13, 50] {
            client.forget()
            loop.handled = []
            let pieces = stride(from: 0, to: bytes.count, by: step).map {
                String(bytes[$0..<min($0 + step, bytes.count)])
            }
            send(pieces, from: client, to: loop)
            #expect(loop.run { loop.handled.count == 3 })
            #expect(loop.run { client.has(Answer.texts(loop.handled)) })
            #expect(client.text == Answer.texts(loop.handled))
            #expect(loop.handled.last == "GET /3")
            #expect(loop.handled.first?.hasSuffix("3 one") == true)
        }
    }

    // MARK: Bodies

    @Test(arguments: [1, 65_535, 65_536, 65_537, 300_000])
    func aBodyByLengthIsKeptInMemoryUpToTheLimit(count: Int) throws {
        let loop = try ForeignLoop { $0.body.memory = 100_000 }
        let client = try loop.client()
        let body = pattern(count)
        client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n")
        loop.turn()
        upload(body, from: client, loop)
        let expected = Answer.text(Answer.line("POST", "/a", count > 100_000 ? "file" : "memory", body))
        #expect(loop.run { client.has(expected) })
        #expect(client.text == expected)
    }

    @Test(arguments: [10, 64, 65, 200_000])
    func aChunkedBodyIsKeptInMemoryUpToTheLimit(count: Int) throws {
        let loop = try ForeignLoop { $0.body.memory = 64 }
        let client = try loop.client()
        let body = pattern(count)
        var request = Array("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        for start in stride(from: 0, to: count, by: 1000) {
            let chunk = body[start..<min(start + 1000, count)]
            request += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
        }
        request += Array("0\r\nX-Note: dropped\r\n\r\n".utf8)
        upload(request, from: client, loop)
        let expected = Answer.text(Answer.line("POST", "/a", count > 64 ? "file" : "memory", body))
        #expect(loop.run { client.has(expected) })
        #expect(client.text == expected)
    }

    private func upload(_ bytes: [UInt8], from client: LoopbackClient, _ loop: ForeignLoop) {
        var rest = bytes[...]
        #expect(
            loop.run {
                rest = rest.dropFirst(client.offer(rest))
                return rest.isEmpty
            })
    }

    @Test func aSpoolThatCannotBeWrittenIsNotTheClientsFault() throws {
        let loop = try ForeignLoop {
            $0.body.memory = 1
            $0.body.spoolDirectory = "/nonexistent"
        }
        let client = try loop.client()
        client.send(Request.chunked("/a", ["hello"]))
        #expect(loop.run { client.hasEnded() })
        #expect(client.text.hasPrefix("HTTP/1.1 503 "))
        #expect(loop.notices.contains { $0.level == .error && $0.text.contains("/nonexistent") })
        #expect(loop.handled.isEmpty)
    }

    @Test(arguments: [Request.post("/a", "12345678901"), Request.chunked("/a", ["123456", "78901"])])
    func aBodyPastTheLimitIsRefused(request: String) throws {
        let loop = try ForeignLoop { $0.policy.limitRequestBody = 10 }
        let client = try loop.client()
        client.send(request)
        #expect(loop.run { client.hasEnded() })
        #expect(client.text.hasPrefix("HTTP/1.1 413 "))
        #expect(client.text.contains("Connection: close\r\n"))
        #expect(loop.handled.isEmpty)
    }

    @Test(arguments: [Request.post("/a", "1234567890"), Request.chunked("/a", ["1234567890"])])
    func aBodyAtTheLimitIsNot(request: String) throws {
        let loop = try ForeignLoop { $0.policy.limitRequestBody = 10 }
        let client = try loop.client()
        client.send(request)
        #expect(loop.run { loop.handled.count == 1 })
        #expect(loop.handled.first?.hasSuffix("10 1234567890") == true)
    }

    // MARK: Expect

    @Test func asksForTheBodyOfAClientThatWaits() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        let proceed = "HTTP/1.1 100 Continue\r\n\r\n"
        #expect(loop.run { client.has(proceed) })
        #expect(client.text == proceed)
        client.send("hello")
        let expected = proceed + Answer.text("POST /a memory 5 hello")
        #expect(loop.run { client.has(expected) })
        #expect(client.text == expected)
    }

    @Test func doesNotAskWhenTheBodyIsThereOrTooLarge() throws {
        let loop = try ForeignLoop { $0.policy.limitRequestBody = 10 }
        let eager = try loop.client()
        eager.send(Request.post("/a", "hello", fields: "Expect: 100-continue\r\n"))
        let expected = Answer.text("POST /a inline 5 hello")
        #expect(loop.run { eager.has(expected) })
        #expect(eager.text == expected)

        let large = try loop.client()
        large.send("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
        #expect(loop.run { large.hasEnded() })
        #expect(large.text.hasPrefix("HTTP/1.1 413 "))
    }

    // MARK: Faults

    @Test func aMalformedRequestIsRefusedAndNamedInTheLog() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send("GET /a HTTP/1.1\r\nHost : a\r\n\r\n")
        #expect(loop.run { client.hasEnded() })
        #expect(client.text.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(client.text.contains("space-before-colon"))
        #expect(client.end == .closed)
        #expect(
            loop.notices == [
                Notice(level: .warning, text: "Invalid request from ip=127.0.0.1: space-before-colon.")
            ])
        #expect(loop.handled.isEmpty)
    }

    @Test func aFaultBehindGoodRequestsComesAfterTheirAnswers() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send(Request.get("/1") + "BAD\r\n\r\n" + Request.get("/2"))
        #expect(loop.run { client.hasEnded() })
        #expect(client.text.hasPrefix(Answer.text("GET /1") + "HTTP/1.1 400 "))
        #expect(loop.handled == ["GET /1"])
    }

    @Test func aHeadThatNeverEndsIsRefused() throws {
        let loop = try ForeignLoop { $0.policy.limitRequestLine = 100 }
        let client = try loop.client()
        upload(Array("GET /".utf8) + pattern(1_000_000), from: client, loop)
        #expect(loop.run { client.hasEnded() })
        #expect(client.text.hasPrefix("HTTP/1.1 414 "))
    }

    // MARK: The end of the stream

    @Test(arguments: [
        Request.get("/a"), Request.get("/a", fields: "Connection: close\r\n"), Request.post("/a", "hello"),
    ])
    func aClientMayHalfCloseAfterItsRequest(request: String) throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send(request)
        client.finishSending()
        #expect(loop.run { client.hasEnded() })
        #expect(loop.handled.count == 1)
        #expect(client.text == Answer.texts(loop.handled))
        #expect(client.end == .closed)
        #expect(loop.run { loop.reactor.connectionCount == 0 })
    }

    /// The end of the stream arrives with the last of several pieces, on a connection that is watched already.
    @Test func aHalfCloseBehindPipelinedRequestsLosesNone() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send(Request.get("/1"))
        #expect(loop.run { loop.handled.count == 1 })
        client.send(Request.get("/2") + Request.post("/3", "x") + Request.get("/4"))
        client.finishSending()
        #expect(loop.run { client.hasEnded() })
        #expect(loop.handled == ["GET /1", "GET /2", "POST /3 inline 1 x", "GET /4"])
        #expect(client.text == Answer.texts(loop.handled))
        #expect(loop.run { loop.reactor.connectionCount == 0 })
    }

    @Test(arguments: [
        "", "GET /a HT", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell",
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ])
    func aRequestThatIsCutOffIsNotRun(part: String) throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send(part)
        client.finishSending()
        #expect(loop.run { client.hasEnded() })
        #expect(loop.handled.isEmpty)
        #expect(loop.run { loop.reactor.connectionCount == 0 })
    }

    @Test func aResetMidRequestFreesTheConnection() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell")
        #expect(loop.run { loop.reactor.connectionCount == 1 })
        client.reset()
        #expect(loop.run { loop.reactor.connectionCount == 0 })
        #expect(loop.handled.isEmpty)
    }

    /// A new connection gets the number of one that was closed: what was heard of the old one must not reach it.
    @Test func aDescriptorMayBeUsedAgain() throws {
        let loop = try ForeignLoop()
        for round in 0..<30 {
            let leaver = try loop.client()
            leaver.send(Request.get("/old"))
            let stayer = try loop.client()
            #expect(loop.run { loop.reactor.connectionCount >= 2 && leaver.has(Answer.text("GET /old")) })
            leaver.reset()
            let next = try loop.client()
            next.send(Request.get("/\(round)"))
            #expect(loop.run { next.has(Answer.text("GET /\(round)")) })
            #expect(next.text == Answer.text("GET /\(round)"))
            stayer.close()
            next.close()
        }
        #expect(loop.run { loop.reactor.connectionCount == 0 })
    }

    /// What comes with its head waits in no other place than what comes later.
    @Test(arguments: [(64, "inline"), (65, "file")])
    func aBodyThatIsHereGoesWhereItsSizeDoes(count: Int, place: String) throws {
        let loop = try ForeignLoop { $0.body.memory = 64 }
        let client = try loop.client()
        let body = String(decoding: pattern(count), as: UTF8.self)
        client.send(Request.post("/a", body) + Request.get("/next"))
        let expected = [Answer.line("POST", "/a", place, pattern(count)), "GET /next"]
        #expect(loop.run { client.has(Answer.texts(expected)) })
        #expect(loop.handled == expected)
    }

    /// Whose body is on its way is nobody who would notice long turns; who asks for something is.
    @Test func aBodyUnderWayMakesNobodysTurnsShort() throws {
        let loop = try ForeignLoop()
        let uploading = try loop.client()
        // On a connection that was served before, whose head is an event of its own.
        uploading.send(Request.get("/first"))
        #expect(loop.run { uploading.has(Answer.text("GET /first")) })
        loop.reactor.batch = EventBatch()
        uploading.send(String(Request.post("/a", "hello").dropLast()))
        #expect(loop.run { loop.reactor.connections.contains { $0.phase.kind == .body } })
        #expect(!loop.reactor.batch.hasInteractiveClients)
        let asking = try loop.client()
        asking.send(Request.get("/b"))
        #expect(loop.run { asking.has(Answer.text("GET /b")) })
        loop.reactor.batch = EventBatch()
        asking.send(Request.get("/c"))
        var wasInteractive = false
        #expect(
            loop.run {
                wasInteractive = wasInteractive || loop.reactor.batch.hasInteractiveClients
                return asking.has(count: Answer.text("GET /b").utf8.count + 1)
            })
        #expect(wasInteractive)
    }
}
