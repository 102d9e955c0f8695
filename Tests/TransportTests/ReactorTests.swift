import Platform
import Testing

@testable import Transport

/// The reactor in another loop's hands: readable when there is work, and a turn does it.
@Suite struct ReactorTests {
    @Test func answersOneRequest() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send(Request.get("/a?b=c"))
        let expected = Answer.text("GET /a?b=c")
        #expect(loop.run { client.has(expected) })
        #expect(client.text == expected)
        #expect(client.end == nil)
        #expect(loop.reactor.connectionCount == 1)
    }

    @Test func knowsThePeerAndCountsItsRequests() throws {
        let loop = try ForeignLoop()
        var seen: [(host: String, listener: Int, count: Int)] = []
        loop.handle = { connection, loop in
            seen.append((connection.peer.host, connection.listener, connection.requestCount))
            loop.answer(connection)
        }
        let client = try loop.client()
        for number in 1...3 {
            client.send(Request.get("/\(number)"))
            #expect(loop.run { seen.count == number })
        }
        #expect(seen.map(\.host) == ["127.0.0.1", "127.0.0.1", "127.0.0.1"])
        #expect(seen.map(\.listener) == [0, 0, 0])
        #expect(seen.map(\.count) == [1, 2, 3])
    }

    @Test func answersPipelinedRequestsInOrder() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        let requests = [
            Request.get("/1"), Request.post("/2", "two"), Request.chunked("/3", ["th", "ree"]), Request.get("/4"),
        ]
        let expected = Answer.texts(["GET /1", "POST /2 inline 3 two", "POST /3 memory 5 three", "GET /4"])
        client.send(requests.joined())
        #expect(loop.run { client.has(expected) })
        #expect(client.text == expected)
        // Nothing is kept for a connection between requests.
        #expect(loop.reactor.connections.allSatisfy { $0.phase.kind == .idle })
    }

    /// A client that pipelines without end has its share, and no more: of the other clients' time, and of the host's.
    @Test func aFloodOfPipelinedRequestsHoldsNobodyUp() throws {
        let loop = try ForeignLoop()
        let flooder = try loop.client()
        let request = Array(Request.get("/flood").utf8)
        let flood = Array(repeatElement(request, count: 4000).joined())
        var rest = flood[...]
        var other: LoopbackClient?
        var before = 0
        loop.handle = { connection, loop in
            loop.answer(connection)
            flooder.receive()
            flooder.forget()
            if rest.count < request.count { rest += flood }
            // The flood ends, so that a test that fails ends too.
            if loop.handled.count < 20_000 { rest = rest.dropFirst(flooder.offer(rest)) }
            if loop.handled.count == 100 {
                other = try? loop.client()
                other?.send(Request.get("/other"))
            }
            if loop.handled.last == "GET /other" { before = loop.handled.count }
        }
        rest = rest.dropFirst(flooder.offer(rest))
        var longestTurn = 0
        var count = 0
        #expect(
            loop.run {
                longestTurn = max(longestTurn, loop.handled.count - count)
                count = loop.handled.count
                return before > 0
            })
        #expect(before > 100 && before < 200)
        #expect(longestTurn < 100)
        #expect(loop.run { other?.has(Answer.text("GET /other")) == true })
        #expect(other?.text == Answer.text("GET /other"))
    }

    @Test func servesManyClientsAtATime() throws {
        let loop = try ForeignLoop()
        let clients = try (0..<40).map { _ in try loop.client() }
        for round in 0..<3 {
            for (number, client) in clients.enumerated() {
                client.forget()
                client.send(Request.get("/\(round)/\(number)"))
            }
            for (number, client) in clients.enumerated() {
                let expected = Answer.text("GET /\(round)/\(number)")
                #expect(loop.run { client.has(expected) })
                #expect(client.text == expected)
            }
        }
        #expect(loop.reactor.connectionCount == 40)
        for client in clients { client.close() }
        #expect(loop.run { loop.reactor.connectionCount == 0 })
    }

    /// The application answers after the turn, as a coroutine does.
    @Test func takesAConnectionBackAfterTheTurn() throws {
        let loop = try ForeignLoop()
        var running: [Connection] = []
        loop.handle = { connection, _ in running.append(connection) }
        let client = try loop.client()
        client.send(Request.get("/1") + Request.get("/2"))
        try #require(loop.run { running.count == 1 })
        loop.finish(running[0], with: Answer.text("1"), persist: true)
        // No event tells of the request that is in memory already.
        loop.turn()
        #expect(running.count == 2)
        loop.finish(running[1], with: Answer.text("2"), persist: true)
        #expect(loop.run { client.has(Answer.texts(["1", "2"])) })
        #expect(client.text == Answer.texts(["1", "2"]))
    }

    @Test func wakesAWaitInPoll() throws {
        let loop = try ForeignLoop()
        loop.reactor.waker.wake()
        let start = Clock.now()
        #expect(loop.poll(milliseconds: 10_000))
        #expect(Clock.now() - start < .seconds(5))
        loop.turn()
        #expect(!loop.poll(milliseconds: 0))
    }
}
