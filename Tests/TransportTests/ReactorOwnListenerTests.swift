import Platform
import Testing

@testable import Transport

/// Listeners that one process alone has (`Reactor+OwnListeners.swift`).
@Suite struct ReactorOwnListenerTests {
    /// Whoever takes the other backlogs cannot take this one.
    @Test(arguments: [true, false]) func whatWaitsThereIsServedAtTheEnd(isOwn: Bool) throws {
        let loop = try ForeignLoop(ownsListener: isOwn)
        let clients = try (0..<20).map { _ in try loop.client() }
        for client in clients { client.send(Request.get("/a")) }
        loop.reactor.beginClosing(loop.baton, takingBacklog: false)
        loop.turn()
        for client in clients { #expect(loop.run { client.hasEnded() }) }
        #expect(clients.count { $0.text == Answer.text("GET /a") } == (isOwn ? 20 : 0))
        #expect(loop.reactor.ownListeners.isEmpty)
        #expect(loop.isDrained)
    }

    /// While others go on, new clients are sent to them: their first segment is dropped, and they try again.
    @Test func itIsClosedWhenNothingMoreCanCome() throws {
        let loop = try ForeignLoop(ownsListener: true)
        let early = try (0..<5).map { _ in try loop.client() }
        loop.reactor.drainOwnListeners()
        #expect(loop.reactor.connectionCount == 5)
        #expect(loop.reactor.ownListeners == [0])
        #expect(!loop.isDrained)
        #expect(
            loop.run {
                loop.turn()
                loop.reactor.drainOwnListeners()
                return loop.reactor.ownListeners.isEmpty
            })
        #expect(throws: SystemError.self) { try loop.client() }
        #expect(early.count == 5)
    }
}
