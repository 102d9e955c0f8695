import Testing

@testable import Transport

/// The copy of a body that was to travel is counted for as long as it is in memory, and goes with its request.
@Suite struct BodyCopyTests {
    /// More than a message holds, and few enough to come at once.
    private static let body = String(decoding: pattern(66_000), as: UTF8.self)

    private func isInline(_ loop: ForeignLoop) -> Bool {
        loop.reactor.connections.contains {
            if case .held(let request) = $0.phase, case .inline = request.body { true } else { false }
        }
    }

    private func bodies(_ loop: ForeignLoop) -> Int { loop.reactor.budgets(loop.baton).bodies }

    /// A body that came with its head is within the request's own bytes, and is copied. One that came in two pieces is
    /// there once.
    @Test(arguments: [1, 2])
    func itGoesWithItsRequest(pieces: Int) throws {
        let server = try LoopbackServer { $0.body.memory = 400_000 }
        let disk = StalledDisk(of: server.first.reactor.spool)
        defer { disk.goOn() }
        let client = try server.first.client()
        let request = Request.post("/a", Self.body)
        client.send(String(request.dropLast(pieces - 1)))
        if pieces > 1 {
            #expect(server.first.run { bodies(server.first) == Self.body.utf8.count - 1 })
            client.send(String(request.suffix(1)))
        }
        #expect(server.first.serve { server.first.hasHeldRequests })
        #expect(isInline(server.first) == (pieces == 1))
        let before = bodies(server.first)
        server.first.share(free: 0, isStalled: true)
        let copy = try #require(server.first.reactor.connections.compactMap(\.bodyCopy).first)
        let added = bodies(server.first) - before
        #expect(pieces == 1 ? added >= Self.body.utf8.count : added == 0)
        server.first.turn()
        let line = Answer.line("POST", "/a", "memory", Array(Self.body.utf8))
        #expect(server.first.run { client.has(Answer.text(line)) })
        // Nobody wants it, and the disk has not come to it.
        #expect(bodies(server.first) == 0 && !copy.isDone && copy.file == nil)
        disk.goOn()
        #expect(server.first.run { copy.isDone })
        #expect(bodies(server.first) == 0)
    }

    @Test func itGoesWithItsConnection() throws {
        let server = try LoopbackServer { $0.body.memory = 400_000 }
        let disk = StalledDisk(of: server.first.reactor.spool)
        defer { disk.goOn() }
        let client = try server.first.client()
        client.send(Request.post("/a", Self.body))
        #expect(server.first.serve { server.first.hasHeldRequests })
        server.first.share(free: 0, isStalled: true)
        let connection = try #require(server.first.reactor.connections.first { $0.bodyCopy != nil })
        server.first.reactor.close(connection)
        #expect(bodies(server.first) == 0 && connection.bodyCopy?.file == nil)
    }

    /// One that is being written is counted to its end.
    @Test func whatIsBeingWrittenCounts() {
        let memory = MemoryBudget(limit: nil)
        let spool = Spool.forTests()
        for isOwn in [false, true] {
            let store = ByteStore(capacity: 1000)
            [UInt8](repeating: 7, count: 1000).withUnsafeBytes { store.append($0) }
            let copy = BodyCopy(store, isOwn: isOwn, for: 1, in: spool, memory: memory)
            #expect(memory.total == (isOwn ? 1000 : 0))
            copy.run()
            #expect(memory.total == 0 && copy.isDone && copy.file?.count == 1000)
            #expect(!copy.abandon() && memory.total == 0)
        }
    }

    /// There is one at a time: as long as the disk's thread has it, its connection does, too, however many requests end
    /// meanwhile.
    @Test func whoAbandonsItTwiceKeepsItUntilTheDiskIsDone() {
        let memory = MemoryBudget(limit: nil)
        let store = ByteStore(capacity: 1000)
        [UInt8](repeating: 7, count: 1000).withUnsafeBytes { store.append($0) }
        let copy = BodyCopy(store, isOwn: true, for: 1, in: Spool.forTests(), memory: memory)
        #expect(copy.abandon())
        #expect(copy.abandon())
        copy.run()
        #expect(!copy.abandon() && copy.file == nil && memory.total == 0)
    }

    /// Where there is no memory for a copy, the request stays, and is served where it is.
    @Test func noneIsMadePastTheBudget() throws {
        let server = try LoopbackServer {
            $0.body.memory = 400_000
            $0.bufferMemory = 100_000
        }
        let client = try server.first.client()
        client.send(Request.post("/a", Self.body))
        #expect(server.first.serve { server.first.hasHeldRequests })
        server.first.share(free: 0, isStalled: true)
        #expect(server.first.reactor.connections.allSatisfy { $0.bodyCopy == nil } && server.first.hasHeldRequests)
        server.first.turn()
        let line = Answer.line("POST", "/a", "memory", Array(Self.body.utf8))
        #expect(server.first.run { client.has(Answer.text(line)) })
    }
}
