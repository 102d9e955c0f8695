import Glibc
import Platform
import Testing

@testable import Transport

/// What becomes of a response that the socket does not take at once, and of the connection after it.
@Suite struct ReactorSettleTests {
    /// More than the kernel keeps for a client with a small receive buffer.
    private static let large = 8 << 20

    /// Answers with bytes that stay where they are, in two parts with an owner each and a copy in front.
    private func loopOfLargeAnswers(_ bytes: UnsafeRawBufferPointer, persist: Bool) throws -> ForeignLoop {
        let loop = try ForeignLoop()
        loop.handle = { connection, loop in
            loop.handled.append(Answer.line(connection, on: loop.bench))
            Array("head".utf8).withUnsafeBytes { connection.outbox.append(copying: $0) }
            let half = bytes.count / 2
            for part in [bytes[..<half], bytes[half...]] {
                let part = UnsafeRawBufferPointer(rebasing: part)
                connection.outbox.append(part, owner: UnsafeMutableRawPointer(mutating: part.baseAddress!))
            }
            loop.finish(connection, persist: persist)
        }
        return loop
    }

    @Test(arguments: [true, false])
    func aLargeResponseIsDrainedAndItsOwnersComeBackOnce(persist: Bool) throws {
        let body = pattern(Self.large)
        try body.withUnsafeBytes { bytes in
            let loop = try loopOfLargeAnswers(bytes, persist: persist)
            let client = try loop.client(receiveBuffer: 4096)
            client.send(Request.get("/a"))
            #expect(loop.run { loop.handled.count == 1 })
            #expect(loop.releases.isEmpty)
            #expect(loop.run(milliseconds: 20_000) { client.has(count: body.count + 4) })
            #expect(client.received == Array("head".utf8) + body)
            let base = UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
            #expect(loop.run { loop.releases.count >= 2 })
            #expect(loop.releases == [base, base + body.count / 2])
            guard persist else {
                #expect(loop.run { client.hasEnded() })
                #expect(client.end == .closed)
                return
            }
            // The connection goes on.
            loop.handle = { $1.answer($0) }
            client.forget()
            client.send(Request.get("/b"))
            #expect(loop.run { client.has(Answer.text("GET /b")) })
            #expect(loop.releases.count == 2)
        }
    }

    /// The request came, and was heard of, while the response before it drained.
    @Test func aRequestThatCameDuringTheDrainIsServed() throws {
        let body = pattern(Self.large)
        try body.withUnsafeBytes { bytes in
            let loop = try loopOfLargeAnswers(bytes, persist: true)
            let client = try loop.client(receiveBuffer: 4096)
            client.send(Request.get("/a"))
            #expect(loop.run { loop.handled.count == 1 })
            client.send(Request.get("/b"))
            for _ in 0..<5 { loop.turn() }
            #expect(loop.handled.count == 1)
            loop.handle = { $1.answer($0) }
            let count = body.count + 4
            #expect(loop.run(milliseconds: 20_000) { client.has(count: count + Answer.text("GET /b").utf8.count) })
            #expect(String(decoding: client.received.dropFirst(count), as: UTF8.self) == Answer.text("GET /b"))
        }
    }

    @Test(arguments: [true, false])
    func aClientThatLeavesDuringTheDrainFreesEverything(resets: Bool) throws {
        let body = pattern(Self.large)
        try body.withUnsafeBytes { bytes in
            let loop = try loopOfLargeAnswers(bytes, persist: true)
            let client = try loop.client(receiveBuffer: 4096)
            client.send(Request.get("/a"))
            #expect(loop.run { loop.handled.count == 1 })
            #expect(loop.reactor.connectionCount == 1)
            if resets { client.reset() } else { client.close() }
            #expect(loop.run { loop.reactor.connectionCount == 0 })
            let base = UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
            #expect(Set(loop.releases) == [base, base + body.count / 2])
            #expect(loop.releases.count == 2)
        }
    }

    @Test func aClientThatLeftWhileItsRequestRanIsNoticedAtTheEnd() throws {
        let loop = try ForeignLoop()
        var running: [Connection] = []
        loop.handle = { connection, loop in
            if connection.requestCount == 1 { loop.answer(connection) } else { running.append(connection) }
        }
        let client = try loop.client()
        client.send(Request.get("/a"))
        #expect(loop.run { client.has(Answer.text("GET /a")) })
        client.send(Request.get("/b"))
        try #require(loop.run { running.count == 1 })
        client.reset()
        #expect(loop.run { running[0].hungUp })
        #expect(loop.reactor.connectionCount == 1)
        let owner = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
        defer { owner.deallocate() }
        running[0].outbox.append(UnsafeRawBufferPointer(start: owner, count: 1), owner: owner)
        loop.finish(running[0], persist: true)
        loop.turn()
        #expect(loop.reactor.connectionCount == 0)
        #expect(loop.releases == [owner])
    }

    // MARK: Files

    private func temporaryFile(_ bytes: [UInt8]) throws -> Descriptor {
        let file = try Descriptor.unnamedFile(in: "/tmp")
        try bytes.withUnsafeBytes { (bytes) throws in try file.writeAll(bytes) }
        return file
    }

    private func isOpen(_ file: Descriptor) -> Bool { fcntl(file.rawValue, F_GETFD) != -1 }

    @Test func fileSegmentsAreSentBetweenBytes() throws {
        let content = pattern(Self.large)
        let file = try temporaryFile(content)
        let loop = try ForeignLoop()
        loop.handle = { connection, loop in
            Array("<".utf8).withUnsafeBytes { connection.outbox.append(copying: $0) }
            connection.outbox.append(FilePart(.owned(file), offset: 1000, count: Self.large - 3000, spool: nil))
            Array(">".utf8).withUnsafeBytes { connection.outbox.append(copying: $0) }
            loop.finish(connection, persist: false)
        }
        let client = try loop.client(receiveBuffer: 4096)
        client.send(Request.get("/a"))
        #expect(loop.run(milliseconds: 20_000) { client.hasEnded() })
        #expect(client.received == Array("<".utf8) + content[1000..<(Self.large - 2000)] + Array(">".utf8))
    }

    /// What was promised cannot be sent: the client must not take the short body for the whole.
    @Test func aFileThatShrankEndsTheConnection() throws {
        let file = try temporaryFile(pattern(100))
        let loop = try ForeignLoop()
        loop.handle = { connection, loop in
            connection.outbox.append(FilePart(.owned(file), offset: 50, count: 100, spool: nil))
            loop.finish(connection, persist: true)
        }
        let client = try loop.client()
        client.send(Request.get("/a"))
        #expect(loop.run { client.hasEnded() })
        #expect(client.received == Array(pattern(100)[50...]))
        #expect(loop.reactor.connectionCount == 0)
        #expect(
            loop.notices == [
                Notice(
                    level: .warning,
                    text: "A file became shorter while it was sent, 50 bytes are missing: the connection is closed.")
            ])
    }

    // MARK: Presence

    /// Runs one request, and tells whether its client was there after what it did.
    private func hasLeft(_ requests: String..., then act: (LoopbackClient) -> Void) throws -> Bool {
        let loop = try ForeignLoop()
        var running: [Connection] = []
        loop.handle = { connection, _ in running.append(connection) }
        let client = try loop.client()
        for request in requests { client.send(request) }
        try #require(loop.run { running.count == 1 })
        let connection = running[0]
        #expect(!connection.clientHasLeft)
        act(client)
        return loop.run(milliseconds: 200) { connection.clientHasLeft }
    }

    @Test func theClientOfARunningRequestIsSeenToLeave() throws {
        #expect(try hasLeft(Request.get("/a"), then: { $0.close() }))
        #expect(try hasLeft(Request.get("/a"), then: { $0.reset() }))
        #expect(try hasLeft(Request.post("/a", "hello"), then: { $0.finishSending() }))
    }

    @Test func aClientThatAsksForMoreHasNotLeft() throws {
        #expect(try !hasLeft(Request.get("/a"), then: { $0.send("G") }))
        #expect(
            try !hasLeft(
                Request.get("/a"),
                then: {
                    $0.send(Request.get("/b"))
                    $0.finishSending()
                }))
        // Read together with the request, so that the socket has nothing more.
        #expect(try !hasLeft(Request.get("/a") + Request.get("/b"), then: { $0.finishSending() }))
        // One that reset the connection has left, whatever it sent before.
        #expect(
            try hasLeft(
                Request.get("/a") + Request.get("/b"),
                then: {
                    $0.send(Request.get("/c"))
                    $0.reset()
                }))
    }

    // MARK: Lingering

    /// A reset would destroy the answer while the client still sends; RFC 9112 §9.6.
    @Test func aClientThatKeepsSendingReadsTheWholeRefusal() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        let noise = pattern(4096)
        client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
        var sent = 0
        #expect(
            loop.run {
                // A client that looks at the answer only after it has sent what it has.
                if sent < 512 * 1024 { sent += client.offer(noise[...]) }
                return sent >= 512 * 1024
            })
        #expect(loop.reactor.connectionCount == 1)
        #expect(loop.run { client.hasEnded() })
        #expect(client.end == .closed)
        #expect(client.text.hasPrefix("HTTP/1.1 400 "))
        #expect(client.text.hasSuffix("</html>\n"))
        client.close()
        #expect(loop.run { loop.reactor.connectionCount == 0 })
    }

    @Test func aClientThatNeverStopsSendingIsCutOff() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send("BAD\r\n\r\n")
        let noise = pattern(65_536)
        #expect(
            loop.run {
                _ = client.offer(noise[...])
                return loop.reactor.connectionCount == 0 && loop.notices.count == 1
            })
    }

    @Test func aClientThatResetsWhileLingeringIsNotWaitedFor() throws {
        let loop = try ForeignLoop { $0.timeouts.linger = 0 }
        let client = try loop.client()
        client.send("BAD\r\n\r\n")
        #expect(loop.run { client.hasEnded() })
        #expect(loop.reactor.connectionCount == 1)
        client.reset()
        #expect(loop.run(milliseconds: 1000) { loop.reactor.connectionCount == 0 })
    }

    @Test func aClientThatSaidCloseIsNotWaitedFor() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send(Request.get("/a", fields: "Connection: close\r\n"))
        #expect(loop.run { client.hasEnded() })
        #expect(client.text == Answer.text("GET /a"))
        #expect(loop.reactor.connectionCount == 0)
    }

    /// A process that the application forked has a copy of the socket; here that is a second descriptor.
    @Test func aCopyOfTheSocketDoesNotKeepTheConnection() throws {
        let loop = try ForeignLoop()
        var copy: Descriptor?
        loop.handle = { connection, loop in
            copy = try? connection.channel.socket.duplicate()
            loop.answer(connection)
        }
        let client = try loop.client()
        client.send(Request.get("/a", fields: "Connection: close\r\n"))
        #expect(loop.run { client.hasEnded() })
        #expect(client.end == .closed)
        #expect(client.text == Answer.text("GET /a"))
        try #require(copy).close()
    }

    /// What a request took is counted from when its runner got it, however much the reactor did meanwhile.
    @Test func aRequestKnowsWhenItBegan() throws {
        let loop = try ForeignLoop()
        var running: [Connection] = []
        loop.handle = { connection, _ in running.append(connection) }
        let clients = [try loop.client(), try loop.client()]
        for client in clients { client.send(Request.get("/a")) }
        try #require(loop.run { running.count == 2 })
        let end = Clock.now() + Deferral<Connection>.longest
        while Clock.now() < end { clients[0].receive() }
        // The first one that comes back moves the reactor's clock, and the other took no less time for that.
        for connection in running { loop.finish(connection, with: Answer.text("a"), persist: true) }
        #expect(!loop.reactor.deferral.isWorthwhile(hasMore: true))
        #expect(loop.reactor.deferral.lastDuration >= Deferral<Connection>.longest)
    }

    // MARK: The end

    @Test func closingEndsIdleConnectionsAndTheListener() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send(Request.get("/a"))
        #expect(loop.run { client.has(Answer.text("GET /a")) })
        #expect(!loop.isDrained)
        loop.reactor.beginClosing(loop.baton)
        loop.turn()
        // Its next request may be on its way, and is waited for a moment.
        #expect(!loop.isDrained)
        #expect(throws: SystemError.self) { try loop.client() }
        #expect(loop.run { client.hasEnded() })
        #expect(client.end == .closed)
        #expect(loop.isDrained)
    }

    @Test func closingAnswersTheNextRequestOfAKeptConnection() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send(Request.get("/a"))
        try #require(loop.run { client.has(Answer.text("GET /a")) })
        loop.reactor.beginClosing(loop.baton)
        loop.turn()
        client.send(Request.get("/b"))
        #expect(loop.run { client.hasEnded() })
        #expect(client.end == .closed)
        #expect(client.text == Answer.text("GET /a") + Answer.text("GET /b"))
        #expect(loop.isDrained)
    }

    @Test func closingServesWhatWaitsInTheBacklog() throws {
        let loop = try ForeignLoop()
        let clients = try (0..<3).map { _ in try loop.client() }
        for client in clients { client.send(Request.get("/a")) }
        loop.reactor.beginClosing(loop.baton)
        loop.turn()
        for client in clients {
            #expect(loop.run { client.hasEnded() })
            #expect(client.text == Answer.text("GET /a"))
        }
        #expect(loop.isDrained)
    }

    @Test func closingFinishesRequestsThatHaveBegun() throws {
        let loop = try ForeignLoop()
        let partial = try loop.client()
        partial.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe")
        var running: [Connection] = []
        let slow = try loop.client()
        loop.handle = { connection, _ in running.append(connection) }
        slow.send(Request.get("/slow"))
        try #require(loop.run { running.count == 1 && loop.reactor.connectionCount == 2 })

        loop.reactor.beginClosing(loop.baton)
        loop.turn()
        #expect(!loop.isDrained)
        loop.finish(running[0], with: Answer.text("slow"), persist: true)
        #expect(loop.run { slow.hasEnded() })
        #expect(slow.text == Answer.text("slow"))
        #expect(!loop.isDrained)
        loop.handle = { $1.answer($0) }
        partial.send("llo")
        #expect(loop.run { partial.hasEnded() })
        #expect(partial.text == Answer.text("POST /a memory 5 hello"))
        #expect(loop.isDrained)
    }

    /// The end of the process would send it a reset, which can destroy the answer.
    @Test func closingWaitsForAClientThatWasStillSending() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send("BAD\r\n\r\n")
        #expect(loop.run { client.hasEnded() })
        loop.reactor.beginClosing(loop.baton)
        loop.turn()
        #expect(!loop.isDrained)
        client.close()
        #expect(loop.run(milliseconds: 1000) { loop.isDrained })
    }

    @Test func closingDoesNotWaitForThatClientForLong() throws {
        let loop = try ForeignLoop { $0.timeouts.linger = .milliseconds(200) }
        let client = try loop.client()
        client.send("BAD\r\n\r\n")
        #expect(loop.run { client.hasEnded() })
        loop.reactor.beginClosing(loop.baton)
        #expect(loop.run { loop.isDrained })
        #expect(loop.reactor.connectionCount == 0)
    }

    @Test func closingEndsAConnectionWhoseResponseStillDrains() throws {
        let body = pattern(Self.large)
        try body.withUnsafeBytes { bytes in
            let loop = try loopOfLargeAnswers(bytes, persist: true)
            let client = try loop.client(receiveBuffer: 4096)
            client.send(Request.get("/a"))
            #expect(loop.run { loop.handled.count == 1 })
            loop.reactor.beginClosing(loop.baton)
            loop.turn()
            #expect(!loop.isDrained)
            #expect(loop.run(milliseconds: 20_000) { client.has(count: body.count + 4) })
            #expect(loop.run(milliseconds: 1000) { loop.isDrained })
            #expect(loop.run(milliseconds: 1000) { client.hasEnded() })
        }
    }
}
