import Platform
import Testing

@testable import Transport

/// Responses that leave together.
@Suite struct ReactorDeferTests {
    /// A loop whose requests seem to take that long, and whose responses wait where they may.
    private func loop(turn: Nanoseconds, deferred: @escaping (Bool) -> Void = { _ in }) throws -> ForeignLoop {
        let loop = try ForeignLoop()
        loop.handle = { connection, loop in
            loop.reactor.deferral.noteDuration(turn)
            let defers = loop.defersResponses
            deferred(defers)
            guard defers else { return loop.answer(connection) }
            let text = Answer.text(Answer.line(connection, on: loop.bench))
            #expect(Array(text.utf8).withUnsafeBytes { connection.deferResponse($0) })
            loop.finish(connection, persist: true)
        }
        return loop
    }

    private func connect(_ count: Int, to loop: ForeignLoop) throws -> [LoopbackClient] {
        let clients = try (0..<count).map { _ in try loop.client() }
        #expect(loop.run { loop.reactor.connectionCount == count })
        return clients
    }

    @Test func theLastOfABatchTakesTheOthersAlong() throws {
        var decisions: [Bool] = []
        var early = 0
        var last: Nanoseconds = 0
        let loop = try loop(turn: .microseconds(100)) { decisions.append($0) }
        let clients = try connect(5, to: loop)
        let handle = loop.handle
        loop.handle = { connection, loop in
            handle(connection, loop)
            last = Clock.now()
            early += clients.count { $0.has(count: 1) }
        }
        let began = Clock.now()
        for (number, client) in clients.enumerated() { client.send(Request.get("/\(number)")) }
        for (number, client) in clients.enumerated() {
            #expect(loop.run { client.has(Answer.text("GET /\(number)")) })
            #expect(client.text == Answer.text("GET /\(number)"))
        }
        // All are at hand in one turn: the last one has nobody to wait for.
        #expect(decisions == [true, true, true, true, false])
        // On a machine that had no time for this thread, none had to wait for longer than that.
        #expect(early <= 1 || last - began >= Deferral<Connection>.longest)
        // They go on as connections whose response was sent at once.
        for client in clients {
            client.forget()
            client.send(Request.get("/again"))
            #expect(loop.run { client.has(Answer.text("GET /again")) })
        }
    }

    @Test func aFewLeaveTogetherAndNotAll() throws {
        let loop = try loop(turn: .microseconds(100))
        let clients = try connect(40, to: loop)
        var most = 0
        let handle = loop.handle
        loop.handle = { connection, loop in
            handle(connection, loop)
            most = max(most, loop.reactor.deferral.waiting.count)
        }
        for client in clients { client.send(Request.get("/")) }
        for client in clients { #expect(loop.run { client.has(Answer.text("GET /")) }) }
        #expect(most > 1 && most < 16)
        #expect(loop.reactor.deferral.waiting.isEmpty)
    }

    @Test(arguments: [Nanoseconds.microseconds(10), .milliseconds(2)])
    func fastAndSlowApplicationsAnswerAtOnce(turn: Nanoseconds) throws {
        var decisions: [Bool] = []
        let loop = try loop(turn: turn) { decisions.append($0) }
        let clients = try connect(3, to: loop)
        for client in clients { client.send(Request.get("/")) }
        for client in clients { #expect(loop.run { client.has(Answer.text("GET /")) }) }
        #expect(decisions == [false, false, false])
    }

    /// The pilot sends what a runner left, whose next request takes long.
    @Test func whoeverPollsNextSendsThem() throws {
        let loop = try loop(turn: .microseconds(100))
        let clients = try connect(3, to: loop)
        var kept: (connection: Connection, answer: String)?
        let handle = loop.handle
        loop.handle = { connection, loop in
            if kept == nil, !loop.reactor.deferral.waiting.isEmpty {
                // The bench serves others before this one is answered.
                kept = (connection, Answer.text(Answer.line(connection, on: loop.bench)))
                // What the pilot does once it has the baton.
                #expect(loop.serve { clients.count { $0.has(Answer.text("GET /")) } == 1 })
            } else {
                handle(connection, loop)
            }
        }
        for client in clients { client.send(Request.get("/")) }
        #expect(loop.run { kept != nil && clients.count { $0.has(Answer.text("GET /")) } == 2 })
        if let kept { loop.finish(kept.connection, with: kept.answer, persist: true) }
        #expect(loop.run { clients.allSatisfy { $0.has(count: 1) } })
    }

    /// One that fails does not keep the others.
    @Test func aClientThatLeftDoesNotMatter() throws {
        let loop = try loop(turn: .microseconds(100))
        let clients = try connect(3, to: loop)
        let handle = loop.handle
        var count = 0
        loop.handle = { connection, loop in
            handle(connection, loop)
            count += 1
            if count == 1 { clients[0].reset() }
        }
        for client in clients { client.send(Request.get("/")) }
        for client in clients[1...] { #expect(loop.run { client.has(Answer.text("GET /")) }) }
        #expect(loop.run { loop.reactor.connectionCount == 2 })
    }
}
