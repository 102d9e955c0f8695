import Platform
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

    @Test func acceptsAgainWhatCameMeanwhile() throws {
        let loop = try ForeignLoop()
        loop.reactor.setAccepting(false, loop.baton)
        let client = try loop.client()
        client.send(Request.get("/a"))
        #expect(!loop.run(milliseconds: 20) { loop.reactor.connectionCount > 0 })
        loop.reactor.setAccepting(true, loop.baton)
        loop.turn()
        #expect(loop.run { client.has(Answer.text("GET /a")) })
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

    /// The host is told of the connections that wait as soon as there is room, though nothing happens to those in place.
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
        #expect(loop.reactor.table.compactMap { $0?.trust } == [.announcing])
        client.close()
    }
}
