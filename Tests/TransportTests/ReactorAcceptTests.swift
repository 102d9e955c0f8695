import Platform
import ProxyWire
import Testing

@testable import Transport

@Suite struct ReactorAcceptTests {
    @Test func whoDoesNotAcceptLeavesTheConnectionToAnother() throws {
        let busy = try ForeignLoop()
        let idle = try ForeignLoop(sharing: busy)
        busy.reactor.setAccepting(false, busy.baton)
        let client = try busy.client()
        client.send(Request.get("/a"))
        busy.turn()
        #expect(busy.reactor.connectionCount == 0)
        #expect(idle.run { client.has(Answer.text("GET /a")) })
        #expect(client.text == Answer.text("GET /a"))
        #expect(busy.handled.isEmpty)
    }

    @Test func acceptsAtOnceAgainWhatCameMeanwhile() throws {
        let loop = try ForeignLoop()
        loop.reactor.setAccepting(false, loop.baton)
        let client = try loop.client()
        client.send(Request.get("/a"))
        loop.turn()
        #expect(loop.reactor.connectionCount == 0)
        loop.reactor.setAccepting(true, loop.baton)
        loop.turn()
        #expect(loop.run { client.has(Answer.text("GET /a")) })
    }

    /// Nobody else takes them: those who came while all runners are busy queue with everyone else.
    @Test(arguments: [true, false]) func whoIsBusyTakesWhatNobodyElseTakes(sharesListeners: Bool) throws {
        let loop = try ForeignLoop { $0.sharesListeners = sharesListeners }
        loop.reactor.setAccepting(false, loop.baton)
        let clients = try (0..<20).map { _ in try loop.client() }
        for (number, client) in clients.enumerated() { client.send(Request.get("/\(number)")) }
        // As the pilot does it, while runners are in the application.
        #expect(loop.serve { loop.reactor.connections.count { $0.phase.kind == .held } == clients.count })
        #expect(loop.handled.isEmpty)
        loop.turn()
        #expect(loop.run { loop.handled.count == clients.count })
        #expect(loop.handled == clients.indices.map { "GET /\($0)" })
    }

    /// Requests that are held do not keep new clients out, nor do these overtake them.
    @Test func newClientsComeInBetweenHeldRequests() throws {
        let loop = try ForeignLoop()
        let old = try (0..<3).map { _ in try loop.client() }
        for (number, client) in old.enumerated() { client.send(Request.get("/old/\(number)")) }
        #expect(loop.serve { loop.reactor.connections.count { $0.phase.kind == .held } == old.count })
        var new: [LoopbackClient] = []
        loop.handle = { connection, loop in
            // Each takes longer than others may be left unheard.
            let end = Clock.now() + EventBatch.heldTime
            while Clock.now() < end {}
            loop.answer(connection)
            if new.isEmpty, let client = try? loop.client() {
                client.send(Request.get("/new"))
                new.append(client)
            }
        }
        loop.turn()
        // The turn ended with the time, and not with the last of them.
        #expect(loop.handled.count == 1)
        #expect(loop.run { loop.handled.count == 2 })
        #expect(loop.reactor.connectionCount == 4)
        #expect(loop.run { loop.handled.count == 4 })
        #expect(loop.handled == ["GET /old/0", "GET /old/1", "GET /old/2", "GET /new"])
    }

    /// A listener's event that waits in the batch is void once accepting stopped.
    @Test func stopsWithinABatch() throws {
        let loop = try ForeignLoop()
        loop.handle = { connection, loop in
            loop.answer(connection)
            loop.reactor.setAccepting(false, loop.baton)
        }
        let clients = try (0..<3).map { _ in try loop.client() }
        for client in clients { client.send(Request.get("/a")) }
        #expect(loop.run { clients[0].has(Answer.text("GET /a")) })
        for _ in 0..<3 { loop.turn() }
        #expect(loop.reactor.connectionCount == 1)
        #expect(loop.handled.count == 1)
    }

    /// The host is told of the connections that wait as soon as there is room, though nothing happens to those in
    /// place.
    @Test func pausesAtTheMostConnectionsAndResumes() throws {
        let loop = try ForeignLoop { $0.maximumConnections = 2 }
        let clients = try (0..<4).map { _ in try loop.client() }
        for (number, client) in clients.enumerated() { client.send(Request.get("/\(number)")) }
        #expect(loop.run { loop.handled.count == 2 })
        #expect(!loop.run(milliseconds: 20) { loop.reactor.connectionCount > 2 || loop.handled.count > 2 })
        clients[0].close()
        #expect(loop.run { loop.handled.count == 3 })
        #expect(loop.reactor.connectionCount == 2)
        clients[1].close()
        #expect(loop.run { clients[3].has(Answer.text("GET /3")) })
        #expect(loop.handled == ["GET /0", "GET /1", "GET /2", "GET /3"])
    }

    /// An idle connection gives way, the longest idle first, and one that is at work does not.
    @Test func whoIdlesGivesWay() throws {
        let loop = try ForeignLoop { $0.maximumConnections = 3 }
        let clients = try (0..<3).map { _ in try loop.client() }
        for (number, client) in clients.enumerated() {
            client.send(number == 1 ? "GET /1 HT" : Request.get("/\(number)"))
            #expect(loop.run { loop.handled.count == (number + 2) / 2 })
        }
        let start = Clock.now()
        for target in ["/3", "/4"] {
            let late = try loop.client()
            late.send(Request.get(target, fields: "Connection: close\r\n"))
            #expect(loop.run { late.has(Answer.text("GET \(target)")) })
            // The first that came idles for longer than the third, and it is enough that one goes.
            #expect(clients[0].hasEnded())
            #expect(!clients[2].hasEnded())
            late.close()
            #expect(loop.run { loop.reactor.connectionCount == 2 })
        }
        #expect(Clock.now() - start > .milliseconds(500))
        clients[1].send("TP/1.1\r\nHost: a\r\n\r\n")
        #expect(loop.run { clients[1].has(Answer.text("GET /1")) })
        clients[2].send(Request.get("/5"))
        #expect(loop.run { loop.handled.last == "GET /5" })
    }

    /// Who never asked for anything goes before who waits for its next request, and the one that came first goes first.
    @Test(arguments: [nil, ProxyMode.auto]) func whoNeverSpokeGivesWayFirst(mode: ProxyMode?) throws {
        let loop = try ForeignLoop {
            $0.maximumConnections = 3
            $0.proxyMode = mode
            // Deadlines of the two kinds cannot be compared with each other.
            $0.timeouts.head = .seconds(600)
            $0.timeouts.idle = .seconds(10)
        }
        let honest = try loop.client()
        honest.send(Request.get("/0"))
        #expect(loop.run { honest.has(Answer.text("GET /0")) })
        var silent: [LoopbackClient] = []
        for count in 2...3 {
            silent.append(try loop.client())
            #expect(loop.run { loop.reactor.connectionCount == count })
        }
        let late = try loop.client()
        late.send(Request.get("/1"))
        #expect(loop.run { late.has(Answer.text("GET /1")) })
        #expect(silent[0].hasEnded())
        #expect(!silent[1].hasEnded())
        #expect(!honest.hasEnded())
    }

    /// Who does not go on with a request gives way too, and who goes on does not.
    @Test(arguments: [
        "GET /1 HT", "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf",
        "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
    ])
    func whoStallsInARequestGivesWay(beginning: String) throws {
        let loop = try ForeignLoop {
            $0.maximumConnections = 2
            $0.timeouts.head = .seconds(600)
            $0.timeouts.body = 0
        }
        let stalled = try loop.client()
        stalled.send(beginning)
        #expect(loop.run { loop.reactor.connections.contains { [.head, .body].contains($0.phase.kind) } })
        let honest = try loop.client()
        honest.send("POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
        #expect(loop.run { loop.reactor.connectionCount == 2 })
        let late = try loop.client()
        late.send(Request.get("/3"))
        #expect(
            loop.run {
                honest.send(String(repeating: "x", count: 2000))
                return late.has(Answer.text("GET /3"))
            })
        #expect(stalled.hasEnded())
        #expect(stalled.text.hasPrefix("HTTP/1.1 408 "))
        #expect(!honest.hasEnded())
        #expect(loop.notices.map(\.text).contains { $0.contains("give way") })
    }

    /// One whose response has left and who does not close goes first of all. It is the older of the two besides:
    /// whatever keeps the machine busy, nobody may before it.
    @Test func whoOnlyLingersGivesWay() throws {
        let loop = try ForeignLoop {
            $0.maximumConnections = 2
            // However long other tests keep the machine busy.
            $0.timeouts.head = .seconds(600)
            $0.timeouts.linger = .seconds(600)
        }
        let refused = try loop.client()
        refused.send("NONSENSE\r\n\r\n")
        #expect(loop.run { loop.reactor.connections.contains { $0.phase.kind == .lingering } })
        let silent = try loop.client()
        #expect(loop.run { loop.reactor.connectionCount == 2 })
        let late = try loop.client()
        late.send(Request.get("/3"))
        #expect(loop.run { late.has(Answer.text("GET /3")) })
        #expect(!silent.hasEnded())
    }

    /// Where answers are short, one that does not take its answer gives way as well, whatever it sends meanwhile. Else
    /// it has all the time that it may take.
    @Test(arguments: [CrowdRule.patient, .brisk]) func whoTakesNoResponseGivesWayWhereTheRuleSaysSo(rule: CrowdRule)
        throws
    {
        let loop = try ForeignLoop {
            $0.maximumConnections = 1
            $0.crowd = rule
            $0.timeouts.write = .seconds(600)
        }
        loop.handle = { connection, loop in
            if loop.handled.count == 0 {
                loop.handled.append("large")
                return loop.finish(connection, with: String(repeating: "x", count: 16 << 20), persist: true)
            }
            loop.answer(connection)
        }
        let rude = try loop.client(receiveBuffer: 4096)
        rude.send(Request.get("/1") + Request.get("/2"))
        #expect(loop.run { loop.reactor.connections.contains { $0.phase.kind == .draining } })
        let late = try loop.client()
        late.send(Request.get("/3"))
        switch rule {
        case .brisk: #expect(loop.run { late.has(Answer.text("GET /3")) })
        case .patient: #expect(!loop.run(milliseconds: 50) { late.has(count: 1) })
        }
    }

    /// A place that is free again is taken at once, though accepting had paused.
    @Test func aPlaceThatBecomesFreeIsTaken() throws {
        let loop = try ForeignLoop { $0.maximumConnections = 1 }
        let first = try loop.client()
        first.send("GET /1 HT")
        #expect(loop.run { loop.reactor.connectionCount == 1 })
        let second = try loop.client()
        second.send(Request.get("/2"))
        #expect(!loop.run(milliseconds: 50) { !loop.handled.isEmpty })
        first.close()
        #expect(loop.run(milliseconds: 500) { loop.handled == ["GET /2"] })
    }

    @Test func oneTurnTakesAShareOfTheBacklogAndComesBackForTheRest() throws {
        let loop = try ForeignLoop { $0.acceptBatch = 3 }
        let clients = try (0..<10).map { _ in try loop.client() }
        #expect(loop.run { loop.reactor.connectionCount == 10 })
        for client in clients { client.send(Request.get("/a")) }
        #expect(loop.run { loop.handled.count == 10 })
    }

    @Test func trustIsAskedOncePerConnection() throws {
        let loop = try ForeignLoop(trust: .announcing)
        let client = try loop.client()
        #expect(loop.run { loop.reactor.connectionCount == 1 })
        #expect(loop.reactor.connections.map(\.trust) == [.announcing])
        client.close()
    }
}
