import Glibc
import Platform
import Testing

@testable import Transport

/// Short limits beside long ones, so that a test sees which of them was kept.
@Suite struct ReactorDeadlineTests {
    private func loop(_ configure: (inout Timeouts) -> Void) throws -> ForeignLoop {
        try ForeignLoop {
            $0.timeouts.head = .seconds(60)
            $0.timeouts.idle = .seconds(60)
            $0.timeouts.body = .seconds(60)
            $0.timeouts.write = .seconds(60)
            $0.timeouts.linger = .seconds(60)
            configure(&$0.timeouts)
        }
    }

    @Test func anIdleConnectionIsClosedWithoutAWord() throws {
        let loop = try loop { $0.idle = .milliseconds(100) }
        let client = try loop.client()
        let start = Clock.now()
        client.send(Request.get("/a"))
        #expect(loop.run { client.has(Answer.text("GET /a")) })
        #expect(loop.run { client.hasEnded() })
        #expect(Clock.now() - start > .milliseconds(50))
        #expect(client.text == Answer.text("GET /a"))
        #expect(client.end == .closed)
        // The client's own end frees the connection before the lingering does.
        client.close()
        #expect(loop.run { loop.reactor.connectionCount == 0 })
    }

    @Test func anotherRequestKeepsAnIdleConnection() throws {
        let loop = try loop { $0.idle = .milliseconds(1500) }
        let client = try loop.client()
        let end = Clock.now() + .milliseconds(2000)
        var count = 0
        while Clock.now() < end {
            client.forget()
            client.send(Request.get("/\(count)"))
            count += 1
            #expect(loop.run { client.has(Answer.text("GET /0")) })
            #expect(!loop.run(milliseconds: 100) { client.hasEnded() })
        }
        #expect(loop.handled.count == count)
        #expect(loop.run { client.hasEnded() })
    }

    @Test func aConnectionWithoutARequestIsClosedWithoutAWord() throws {
        let loop = try loop { $0.head = .milliseconds(100) }
        let client = try loop.client()
        #expect(loop.run { client.hasEnded() })
        #expect(client.text == "")
    }

    /// Bytes do not move the limit: it is the head's as a whole.
    @Test func aSlowHeadIsAnsweredWith408() throws {
        let loop = try loop { $0.head = .milliseconds(200) }
        let client = try loop.client()
        var rest = Array("GET /a HTTP/1.1\r\nHost: a\r\nX: ".utf8) + pattern(4000)
        let start = Clock.now()
        #expect(
            loop.run {
                if !rest.isEmpty, client.offer(rest[..<1]) == 1 { rest.removeFirst() }
                return client.hasEnded()
            })
        #expect(Clock.now() - start > .milliseconds(150))
        #expect(client.text.hasPrefix("HTTP/1.1 408 "))
        #expect(client.text.contains("head-timeout"))
        #expect(loop.handled.isEmpty)
    }

    @Test func aSlowHeadBehindARequestIsAnsweredWith408() throws {
        let loop = try loop { $0.head = .milliseconds(100) }
        let client = try loop.client()
        client.send(Request.get("/1") + "GET /2 HT")
        #expect(loop.run { client.hasEnded() })
        #expect(client.text.hasPrefix(Answer.text("GET /1") + "HTTP/1.1 408 "))
    }

    @Test(arguments: [
        "Content-Length: 9\r\n\r\n", "Content-Length: 9\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\n",
    ])
    func aBodyThatStopsIsAnsweredWith408(rest: String) throws {
        let loop = try loop { $0.body = .milliseconds(100) }
        let client = try loop.client()
        client.send("POST /a HTTP/1.1\r\nHost: a\r\n" + rest)
        #expect(loop.run { client.hasEnded() })
        #expect(client.text.hasPrefix("HTTP/1.1 408 "))
        #expect(client.text.contains("body-timeout"))
    }

    /// Each KiB moves the limit.
    @Test func aBodyThatGoesOnIsWaitedFor() throws {
        let loop = try loop {
            $0.head = .milliseconds(100)
            $0.body = .milliseconds(1500)
        }
        let client = try loop.client()
        let body = pattern(20 * Timeouts.progress)
        client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n")
        for start in stride(from: 0, to: body.count, by: Timeouts.progress) {
            #expect(!loop.run(milliseconds: 100) { client.hasEnded() })
            #expect(client.offer(body[start..<start + Timeouts.progress]) == Timeouts.progress)
        }
        let expected = Answer.text(Answer.line("POST", "/a", "memory", body))
        #expect(loop.run { client.has(expected) })
        #expect(client.text == expected)
    }

    /// Less than that does not: a byte now and then must not hold a connection.
    @Test(arguments: ["Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nffff\r\n"])
    func aBodyThatDripsIsAnsweredWith408(rest: String) throws {
        let loop = try loop { $0.body = .milliseconds(200) }
        let client = try loop.client()
        client.send("POST /a HTTP/1.1\r\nHost: a\r\n" + rest)
        var sent = 0
        let ended = loop.run {
            if sent < Timeouts.progress - 100 { sent += client.offer([0x78]) }
            return client.hasEnded()
        }
        #expect(ended)
        #expect(client.text.contains("body-timeout"))
    }

    @Test func withoutALimitABodyIsWaitedFor() throws {
        let loop = try loop { $0.body = 0 }
        let client = try loop.client()
        client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
        #expect(!loop.run(milliseconds: 300) { client.hasEnded() })
        client.send("hello")
        #expect(loop.run { client.has(Answer.text("POST /a memory 5 hello")) })
    }

    @Test func aResponseThatNobodyReadsIsGivenUp() throws {
        let loop = try loop { $0.write = .milliseconds(150) }
        let owner = UnsafeMutableRawPointer.allocate(byteCount: 8 << 20, alignment: 16)
        defer { owner.deallocate() }
        owner.initializeMemory(as: UInt8.self, repeating: 0x78, count: 8 << 20)
        loop.handle = { connection, loop in
            connection.outbox.append(UnsafeRawBufferPointer(start: owner, count: 8 << 20), owner: owner)
            loop.finish(connection, persist: true)
        }
        let client = try loop.client(receiveBuffer: 4096)
        client.send(Request.get("/a"))
        #expect(loop.run { loop.reactor.connectionCount == 1 })
        #expect(loop.run { loop.reactor.connectionCount == 0 })
        #expect(loop.releases == [owner])
    }

    /// The kernel's buffers hold so much that the socket may take nothing for several periods. What the client takes
    /// counts.
    @Test func aResponseThatIsReadSlowlyIsSent() throws {
        let size = 8 << 20
        let loop = try loop { $0.write = .milliseconds(1000) }
        let response = pattern(size)
        loop.handle = { connection, loop in
            response.withUnsafeBytes { connection.outbox.append(copying: $0) }
            loop.finish(connection, persist: false)
        }
        let client = try loop.client(receiveBuffer: 65_536)
        client.send(Request.get("/a"))
        let end = Clock.now() + .milliseconds(3500)
        while Clock.now() < end {
            client.receive(upTo: 4096)
            loop.turn()
            // Not all of it: there is no more than that to take.
            Thread.sleep(.milliseconds(10))
        }
        #expect(loop.reactor.connectionCount == 1)
        #expect(loop.run { client.has(count: size) })
        #expect(client.received == response)
    }

    /// Fewer bytes than count as progress do not keep it.
    @Test func aResponseThatIsReadInDripsIsGivenUp() throws {
        let loop = try loop { $0.write = .milliseconds(200) }
        loop.handle = { connection, loop in
            pattern(8 << 20).withUnsafeBytes { connection.outbox.append(copying: $0) }
            loop.finish(connection, persist: false)
        }
        let client = try loop.client(receiveBuffer: 4096)
        client.send(Request.get("/a"))
        #expect(loop.run { loop.reactor.connectionCount == 1 })
        var taken = 0
        let closed = loop.run {
            if taken < Timeouts.progress - 100 {
                client.receive(upTo: 1)
                taken += 1
            }
            return loop.reactor.connectionCount == 0
        }
        #expect(closed)
    }

    @Test func aLingeringClientIsCutOff() throws {
        let loop = try loop { $0.linger = .milliseconds(100) }
        let client = try loop.client()
        client.send("BAD\r\n\r\n")
        #expect(loop.run { client.hasEnded() })
        #expect(loop.reactor.connectionCount == 1)
        #expect(loop.run { loop.reactor.connectionCount == 0 })
    }

    /// After a stall the timer's bell may come before what was sent in time: whoever kept the limit is not refused.
    @Test func whatCameDuringAStallCameInTime() throws {
        let loop = try loop { $0.head = .milliseconds(1600) }
        let early = try loop.client()
        early.send("GET /early HT")
        #expect(loop.run { loop.reactor.connections.contains { $0.phase.kind == .head } })
        let end = Clock.now() + .milliseconds(800)
        while Clock.now() < end { loop.turn() }
        let late = try loop.client()
        late.send("GET /late HT")
        #expect(loop.run { loop.reactor.connections.count { $0.phase.kind == .head } == 2 })
        // That its socket takes bytes is news too, and old before the bell rings.
        for _ in 0..<3 { loop.turn() }
        // The bell rings for the one, then the other completes its head, then the time of both is up.
        var bell = pollfd(fd: loop.reactor.timer.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        #expect(poll(&bell, 1, 5000) == 1)
        late.send("TP/1.1\r\nHost: a\r\n\r\n")
        let stall = Clock.now() + .milliseconds(1600)
        while Clock.now() < stall { late.receive() }
        #expect(loop.run { early.hasEnded() })
        #expect(early.text.hasPrefix("HTTP/1.1 408 "))
        #expect(loop.run { late.has(Answer.text("GET /late")) })
        #expect(late.text == Answer.text("GET /late"))
    }

    /// The application may take longer than a client may idle, and the reactor may see no event meanwhile.
    @Test func theIdleTimeBeginsWhenTheResponseIsMade() throws {
        let loop = try loop { $0.idle = .milliseconds(1500) }
        var running: [Connection] = []
        loop.handle = { connection, _ in running.append(connection) }
        let client = try loop.client()
        client.send(Request.get("/a"))
        try #require(loop.run { running.count == 1 })
        // Nothing happens in the reactor, so its clock stands still.
        let end = Clock.now() + .milliseconds(2000)
        while Clock.now() < end { client.receive() }
        loop.finish(running[0], with: Answer.text("a"), persist: true)
        #expect(!loop.run(milliseconds: 100) { client.hasEnded() })
        client.send(Request.get("/b"))
        try #require(loop.run { running.count == 2 })
        loop.finish(running[1], with: Answer.text("b"), persist: false)
    }

    /// A read that fills the buffer leaves open whether there is more. There is not: the client idles.
    @Test func theIdleLimitHoldsBehindARequestThatFillsTheBuffer() throws {
        let loop = try loop { $0.idle = .milliseconds(100) }
        let client = try loop.client()
        let length = Workbench.capacity - 100
        let head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n"
        let padding = "X: " + String(repeating: "x", count: 100 - head.utf8.count - 7) + "\r\n"
        let request = Array((head + padding + "\r\n").utf8) + pattern(length)
        #expect(request.count == Workbench.capacity)
        var rest = request[...]
        #expect(
            loop.run {
                rest = rest.dropFirst(client.offer(rest))
                return rest.isEmpty
            })
        #expect(loop.run { loop.handled.count == 1 })
        #expect(loop.run { client.hasEnded() })
        #expect(client.text == Answer.texts(loop.handled))
    }
}
