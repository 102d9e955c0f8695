import Glibc
import HTTPWire
import Platform
import ProxyWire
import Scheduling
import Telemetry
import Testing

@testable import Transport

/// Connections that go from one worker to another: the client does not notice.
@Suite struct ReactorRelayTests {
    /// Sends the beginning to the first worker, has that leave, and sends the rest.
    private func travel(
        _ beginning: String, _ rest: String, expecting lines: [String], phase: Phase.Kind,
        in server: LoopbackServer? = nil
    ) throws {
        let server = try server ?? LoopbackServer()
        let client = try server.first.client()
        if !beginning.isEmpty { client.send(beginning) }
        #expect(server.first.run { server.first.reactor.connections.contains { $0.phase.kind == phase } })
        leave(server.first)
        #expect(server.first.isDrained)
        #expect(server.second.run { server.second.reactor.connectionCount == 1 })
        client.send(rest)
        #expect(server.second.run { client.has(Answer.texts(lines)) })
        #expect(client.text == Answer.texts(lines))
        #expect(server.second.handled == lines)
        #expect(server.first.handled.isEmpty)
        #expect(!client.hasEnded())
        #expect(server.counters[0].relayedOut == 1 && server.counters[1].relayedIn == 1)
    }

    @Test func aNewConnectionTravels() throws {
        try travel("", Request.get("/a"), expecting: ["GET /a"], phase: .idle)
    }

    @Test func halfAHeadTravels() throws {
        try travel("GET /a HTTP/1.1\r\nHo", "st: a\r\n\r\n", expecting: ["GET /a"], phase: .head)
    }

    @Test func halfABodyTravels() throws {
        let text = Request.post("/a", "hello world")
        try travel(
            String(text.dropLast(6)), String(text.suffix(6)), expecting: ["POST /a memory 11 hello world"], phase: .body
        )
    }

    @Test func aHeadTravelsWhoseBodyHasNotBegun() throws {
        let text = Request.post("/a", "hello")
        try travel(String(text.dropLast(5)), "hello", expecting: ["POST /a memory 5 hello"], phase: .body)
        let chunked = Request.chunked("/a", ["hello"])
        let head = chunked.prefix(chunked.count - "5\r\nhello\r\n0\r\n\r\n".count)
        try travel(
            String(head), "5\r\nhello\r\n0\r\n\r\n", expecting: ["POST /a memory 5 hello"], phase: .body)
    }

    @Test func halfABodyInAFileTravels() throws {
        let server = try LoopbackServer { $0.body.memory = 4 }
        let text = Request.post("/a", "hello world")
        try travel(
            String(text.dropLast(6)), String(text.suffix(6)), expecting: ["POST /a file 11 hello world"], phase: .body,
            in: server)
    }

    @Test func halfAProxyHeaderTravels() throws {
        let server = try LoopbackServer(trust: .announcing) { $0.proxyMode = .v1 }
        server.second.handle = { connection, loop in
            #expect(connection.peer.host == "10.1.2.3")
            #expect(connection.trust == .announcing)
            loop.answer(connection)
        }
        try travel(
            "PROXY TCP4 10.1.2.3 ", "10.0.0.1 1234 80\r\n" + Request.get("/a"), expecting: ["GET /a"], phase: .preamble,
            in: server)
    }

    @Test(arguments: [
        (Request.get("/a"), "GET /a"), (Request.post("/a", "hello"), "POST /a inline 5 hello"),
        (Request.chunked("/a", ["he", "llo"]), "POST /a memory 5 hello"),
    ])
    func aHeldRequestTravelsWithWhatCameBehindIt(request: String, line: String) throws {
        let server = try LoopbackServer()
        let client = try server.first.client()
        client.send(request + Request.get("/b") + "GET /c HTTP/1.1\r\nHo")
        #expect(server.first.serve { server.first.hasHeldRequests })
        server.first.leave()
        #expect(server.first.isDrained && !server.first.hasHeldRequests)
        #expect(server.second.run { server.second.handled.count == 2 })
        client.send("st: a\r\n\r\n")
        let lines = [line, "GET /b", "GET /c"]
        #expect(server.second.run { client.has(Answer.texts(lines)) })
        #expect(client.text == Answer.texts(lines))
    }

    /// More than a message holds.
    @Test func aLargeBodyTravelsAsAFile() throws {
        let server = try LoopbackServer { $0.body.memory = 200_000 }
        let client = try server.first.client()
        let body = String(decoding: pattern(100_000), as: UTF8.self)
        client.send(Request.post("/a", body))
        #expect(server.first.serve { server.first.hasHeldRequests })
        leave(server.first)
        let line = Answer.line("POST", "/a", "file", Array(body.utf8))
        #expect(server.second.run { client.has(Answer.text(line)) })
        #expect(client.text == Answer.text(line))
    }

    /// Takes turns until the disk has what travels in a file, and all have left.
    private func leave(_ loop: ForeignLoop) {
        #expect(
            loop.serve {
                loop.leave()
                return loop.reactor.connectionCount == 0
            })
    }

    @Test func halfALargeBodyTravelsAsAFile() throws {
        let server = try LoopbackServer { $0.body.memory = 400_000 }
        let client = try server.first.client()
        let body = String(decoding: pattern(150_000), as: UTF8.self)
        let request = Request.post("/a", body)
        client.send(String(request.dropLast(50_000)))
        #expect(
            server.first.run {
                server.first.reactor.connections.contains {
                    if case .body(let body) = $0.phase { body.receipt.progress.received == 100_000 } else { false }
                }
            })
        leave(server.first)
        #expect(server.second.run { server.second.reactor.connectionCount == 1 })
        client.send(String(request.suffix(50_000)))
        let line = Answer.line("POST", "/a", "file", Array(body.utf8))
        #expect(server.second.run { client.has(Answer.text(line)) })
        #expect(client.text == Answer.text(line))
    }

    /// What has no room on the disk is served where it is, whether it is there whole or in part.
    @Test(arguments: [0, 50_000])
    func aLargeBodyWithoutAFileStays(missing: Int) throws {
        let server = try LoopbackServer {
            $0.body.memory = 400_000
            $0.body.spoolDirectory = "/nonexistent"
        }
        let client = try server.first.client()
        let body = String(decoding: pattern(150_000), as: UTF8.self)
        let request = Request.post("/a", body)
        client.send(String(request.dropLast(missing)))
        #expect(
            server.first.serve {
                server.first.hasHeldRequests
                    || server.first.reactor.connections.contains {
                        if case .body(let body) = $0.phase { body.receipt.progress.received == 100_000 } else { false }
                    }
            })
        for _ in 0..<10 {
            server.first.leave()
            _ = server.first.poll(milliseconds: 10, ignoringHeld: true)
        }
        #expect(server.first.reactor.connectionCount == 1 && server.counters[0].relayedOut == 0)
        client.send(String(request.suffix(missing)))
        let line = Answer.line("POST", "/a", "memory", Array(body.utf8))
        #expect(server.first.run { client.has(Answer.text(line)) })
        #expect(client.text == Answer.text(line) && server.first.handled == [line])
    }

    /// A runner may become free while the body of its request is on its way to a file.
    @Test func aRequestRunsWhoseBodyWasToTravel() throws {
        let server = try LoopbackServer { $0.body.memory = 400_000 }
        let client = try server.first.client()
        let body = String(decoding: pattern(100_000), as: UTF8.self)
        let line = Answer.line("POST", "/a", "memory", Array(body.utf8))
        for round in 1...3 {
            client.send(Request.post("/a", body))
            #expect(server.first.serve { server.first.hasHeldRequests })
            server.first.share(free: 0, isStalled: true)
            #expect(server.first.hasHeldRequests && server.counters[0].relayedOut == 0)
            server.first.turn()
            #expect(
                server.first.run { client.has(Answer.texts([String](repeating: line, count: round))) })
            // Nobody wants the file any more, and it is not kept for as long as the connection.
            #expect(
                server.first.run {
                    server.first.reactor.connections.compactMap(\.bodyCopy).allSatisfy { $0.isDone && $0.file == nil }
                })
        }
        #expect(server.first.handled == [line, line, line])
    }

    /// One runner is idle elsewhere: one body is written to a file for it, and not those of all that wait.
    @Test func noMoreBodiesAreWrittenThanMayTravel() throws {
        let server = try LoopbackServer { $0.body.memory = 400_000 }
        let body = String(decoding: pattern(100_000), as: UTF8.self)
        let clients = try (0..<5).map { _ in try server.first.client() }
        for client in clients { client.send(Request.post("/a", body)) }
        #expect(server.first.serve { server.first.reactor.held.count == clients.count })
        // Long enough to go where somebody idles, and not so long that all that wait are one queue.
        server.first.reactor.sharing?.policy.served(in: .microseconds(500))
        server.first.share(free: 0)
        #expect(server.first.reactor.connections.filter { $0.bodyCopy != nil }.count == 1)
    }

    @Test func continueIsSaidOnce() throws {
        let server = try LoopbackServer()
        let client = try server.first.client()
        let text = Request.post("/a", "hello", fields: "Expect: 100-continue\r\n")
        client.send(String(text.dropLast(5)))
        let interim = "HTTP/1.1 100 Continue\r\n\r\n"
        #expect(server.first.run { client.has(interim) })
        server.first.leave()
        #expect(server.second.run { server.second.reactor.connectionCount == 1 })
        client.send("hello")
        #expect(server.second.run { client.has(interim + Answer.text("POST /a memory 5 hello")) })
        #expect(client.text == interim + Answer.text("POST /a memory 5 hello"))
    }

    @Test func whatIsRemembered() throws {
        let server = try LoopbackServer()
        let client = try server.first.client()
        client.send(Request.get("/1") + Request.get("/2"))
        #expect(server.first.run { client.has(Answer.texts(["GET /1", "GET /2"])) })
        let before = try #require(server.first.reactor.connections.first { _ in true })
        #expect(server.first.run { before.isWatched })
        let deadline = before.deadline
        server.first.leave()
        #expect(server.second.run { server.second.reactor.connectionCount == 1 })
        let after = try #require(server.second.reactor.connections.first { _ in true })
        // An idle client gets no more time by travelling.
        #expect(after.deadline == deadline && deadline > 0)
        #expect(after.requestCount == 2 && after.peer == before.peer && after.hops == 1)
        client.send(Request.get("/3"))
        #expect(server.second.run { server.second.handled == ["GET /3"] })
        #expect(after.requestCount == 3 && after.hops == 0)
    }

    /// Whatever it waits for, and whatever part of that has come.
    @Test(arguments: [
        ("GET /a HTTP/1.1\r\nHo", Phase.Kind.head),
        (String(Request.post("/a", "hello").dropLast(2)), .body),
        (String(Request.post("/a", "hello").dropLast(5)), .body),
        (String(Request.chunked("/a", ["hello"]).dropLast("5\r\nhello\r\n0\r\n\r\n".count)), .body),
    ])
    func noPhaseGetsMoreTime(beginning: String, phase: Phase.Kind) throws {
        let server = try LoopbackServer()
        let client = try server.first.client()
        client.send(beginning)
        #expect(server.first.run { server.first.reactor.connections.contains { $0.phase.kind == phase } })
        let before = try #require(server.first.reactor.connections.first { _ in true })
        #expect(server.first.run { before.isWatched })
        let deadline = before.deadline
        server.first.leave()
        #expect(server.second.run { server.second.reactor.connectionCount == 1 })
        let after = try #require(server.second.reactor.connections.first { _ in true })
        #expect(after.phase.kind == phase)
        #expect(after.deadline == deadline && deadline > 0)
    }

    @Test func whatRunsIsPostedBehindItsResponse() throws {
        let server = try LoopbackServer()
        let client = try server.first.client()
        var running: Connection?
        server.first.handle = { connection, _ in running = connection }
        client.send(Request.get("/a"))
        #expect(server.first.run { running != nil })
        server.first.leave()
        #expect(!server.first.isDrained)
        server.first.finish(try #require(running), with: Answer.text("GET /a"), persist: true)
        #expect(server.first.isDrained)
        client.send(Request.get("/b"))
        #expect(server.second.run { client.has(Answer.texts(["GET /a", "GET /b"])) })
        #expect(server.second.handled == ["GET /b"])
    }

    @Test func whereNobodyStaysIdleConnectionsEnd() throws {
        let server = try LoopbackServer()
        let client = try server.first.client()
        #expect(server.first.run { server.first.reactor.connectionCount == 1 })
        server.stop()
        server.first.leave()
        #expect(server.first.reactor.isClosing)
        #expect(server.first.run { client.hasEnded() })
    }

    /// One that was posted to somebody who leaves at the same moment.
    @Test func theLastOneAnswersWhatIsInTheRelay() throws {
        let server = try LoopbackServer()
        let client = try server.first.client()
        client.send(Request.get("/a"))
        #expect(server.first.serve { server.first.hasHeldRequests })
        server.first.leave()
        server.stop()
        server.second.leave()
        // As a worker does that leaves: it does not wait for an event first.
        server.second.turn()
        #expect(server.second.run { client.has(Answer.text("GET /a")) })
    }

    /// Behind a request, which is answered before more is taken: an idle connection is given up at once then.
    @Test func theLastOneEndsIdleConnectionsInTheRelay() throws {
        let server = try LoopbackServer()
        let busy = try server.first.client()
        let idle = try server.first.client()
        for client in [busy, idle] {
            client.send(Request.get("/a"))
            #expect(server.first.run { client.has(Answer.text("GET /a")) })
        }
        busy.send(Request.get("/b"))
        #expect(server.first.serve { server.first.hasHeldRequests })
        server.first.leave()
        #expect(server.counters[0].relayedOut == 2)
        server.stop()
        #expect(
            server.second.run {
                // As a worker does that leaves: it does not wait for an event first.
                server.second.leave()
                server.second.turn()
                return busy.hasEnded() && idle.hasEnded() && server.second.reactor.connectionCount == 0
            })
        #expect(busy.text == Answer.texts(["GET /a", "GET /b"]))
    }

    @Test func aFullRelayIsNoError() throws {
        let server = try LoopbackServer()
        // As a pilot has it: its worker takes nothing from others.
        server.first.setAccepting(false)
        let noise = [UInt8](repeating: 0, count: 1000)
        noise.withUnsafeBytes { bytes in
            while (try? server.relay.send(bytes, [])) == .sent {}
        }
        let client = try server.first.client()
        client.send(Request.get("/a"))
        #expect(server.first.serve { server.first.hasHeldRequests })
        server.first.share(free: 0, isStalled: true)
        #expect(server.first.hasHeldRequests)
        #expect(server.counters[0].relayFull == 1)
        server.first.turn()
        #expect(server.first.run { client.has(Answer.text("GET /a")) })
        // What was no connection is told, and harms nobody.
        #expect(server.second.run { server.second.notices.contains { $0.text.contains("another worker is lost") } })
    }

    // MARK: Sharing

    @Test func whatWaitsGoesToWhoeverIsIdle() throws {
        let server = try LoopbackServer()
        let clients = try (0..<3).map { _ in try server.first.client() }
        for (number, client) in clients.enumerated() {
            client.send(Request.get("/\(number)"))
            #expect(server.first.serve { server.first.reactor.held.count == number + 1 })
        }
        // One free runner here keeps the oldest; where every runner is stuck, none is kept.
        server.first.share(free: 1, isStalled: true)
        #expect(server.first.reactor.held.count == 1)
        #expect(server.second.run { server.second.handled.count == 2 })
        #expect(server.second.handled == ["GET /1", "GET /2"])
        server.first.turn()
        #expect(server.first.handled == ["GET /0"])
        for (number, client) in clients.enumerated() {
            #expect(server.run { client.has(Answer.text("GET /\(number)")) })
        }
    }

    /// Own requests, relayed ones and those of new connections, each as old as it is.
    @Test func whatWaitsIsServedInOrderOfAge() throws {
        let server = try LoopbackServer()
        var clients: [LoopbackClient] = []
        func ask(_ name: String, at loop: ForeignLoop) throws {
            let client = try loop.client()
            clients.append(client)
            let before = loop.reactor.held.count
            client.send(Request.get("/" + name))
            #expect(loop.serve { loop.reactor.held.count > before })
            // The next is younger, however fine the clock is.
            let now = Clock.now()
            while Clock.now() <= now {}
        }
        let (first, second) = (server.first, server.second)
        try ask("own1", at: second)
        try ask("relayed2", at: first)
        try ask("own3", at: second)
        try ask("relayed4", at: first)
        try ask("new5", at: second)
        first.share(free: 0, isStalled: true)
        #expect(!first.hasHeldRequests)
        #expect(second.serve { second.reactor.held.count == 5 })
        second.turn()
        #expect(second.run { second.handled.count == 5 })
        #expect(second.handled == ["own1", "relayed2", "own3", "relayed4", "new5"].map { "GET /" + $0 })
        for client in clients { #expect(second.run { client.has(count: 1) }) }
    }

    @Test func nothingIsPostedTwiceWithoutBeingServed() throws {
        let server = try LoopbackServer()
        let client = try server.first.client()
        client.send(Request.get("/a"))
        #expect(server.first.serve { server.first.hasHeldRequests })
        server.first.announce(waiting: 1)
        server.first.share(free: 0, isStalled: true)
        // Whoever took it cannot run it either, and may send it on; whoever has it then keeps it.
        #expect(server.second.serve { server.second.hasHeldRequests })
        server.second.share(free: 0, isStalled: true)
        #expect(!server.second.hasHeldRequests)
        #expect(server.first.serve { server.first.hasHeldRequests })
        server.first.share(free: 0, isStalled: true)
        #expect(server.first.hasHeldRequests)
        #expect(server.counters.reduce(0) { $0 + $1.relayedOut } == 2)
        #expect(server.run { client.has(Answer.text("GET /a")) })
    }

    @Test func aWorkerWithoutAPlaceLeavesThemInTheRelay() throws {
        let server = try LoopbackServer { $0.maximumConnections = 1 }
        let other = try server.second.client()
        #expect(server.second.run { server.second.reactor.connectionCount == 1 })
        let client = try server.first.client()
        client.send(Request.get("/a"))
        #expect(server.first.serve { server.first.hasHeldRequests })
        server.first.share(free: 0, isStalled: true)
        #expect(server.first.reactor.connectionCount == 0)
        #expect(!server.second.run(milliseconds: 20) { !server.second.handled.isEmpty })
        other.close()
        #expect(server.second.run { client.has(Answer.text("GET /a")) })
    }

    @Test func manyParcelsLeaveNothingBehind() throws {
        let server = try LoopbackServer()
        let client = try server.first.client()
        var expected = ""
        // `scripts/sanitize model` has time for more.
        for number in 0..<(getenv("MONOCEROS_THOROUGH") == nil ? 2000 : 100_000) {
            let from = number % 2 == 0 ? server.first : server.second
            let to = number % 2 == 0 ? server.second : server.first
            from.announce(waiting: 0)
            to.announce(waiting: 1)
            client.send(Request.get("/\(number)"))
            try #require(from.serve { from.hasHeldRequests })
            from.share(free: 0, isStalled: true)
            let line = Answer.text("GET /\(number)")
            expected += line
            try #require(to.run { client.has(count: expected.utf8.count) })
        }
        #expect(client.text == expected)
        #expect(server.first.reactor.connectionCount + server.second.reactor.connectionCount == 1)
        let loop = server.first.reactor.connectionCount == 1 ? server.first : server.second
        let last = try #require(loop.reactor.connections.first { _ in true })
        #expect(copies(of: last.channel.socket) == 1)
    }

    /// How many descriptors of this process are the same socket.
    private func copies(of socket: Descriptor) -> Int {
        func name(_ number: Int32) -> [CChar]? {
            var name = [CChar](repeating: 0, count: 64)
            return readlink("/proc/self/fd/\(number)", &name, name.count - 1) > 0 ? name : nil
        }
        let own = name(socket.rawValue)
        return (0..<4096).count { own != nil && name($0) == own }
    }
}
