import HTTPWire
import Platform
import Testing

@testable import Transport

/// Bodies that the application reads itself, and what becomes of the connection afterwards.
@Suite struct BodyStreamTests {
    /// A reactor whose application takes the requests and does nothing by itself.
    private final class Loop {
        let loop: ForeignLoop
        var running: [Connection] = []

        init(_ configure: (inout TransportConfiguration) -> Void = { _ in }) throws {
            loop = try ForeignLoop {
                $0.streamsBodies = true
                $0.timeouts.linger = .seconds(60)
                configure(&$0)
            }
            loop.handle = { [unowned self] connection, loop in
                if case .stream = connection.body { running.append(connection) } else { loop.answer(connection) }
            }
        }

        func stream() throws -> BodyStream {
            try #require(loop.run { running.count == 1 })
            guard case .stream(let stream) = running[0].body else { preconditionFailure() }
            return stream
        }

        func finish(_ text: String = "done") {
            loop.finish(running.removeFirst(), with: Answer.text(text), persist: true)
            // What a host owes the reactor after a `finish` that is not part of a turn.
            loop.turn()
        }
    }

    private static let lengthHead = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n"
    private static let chunkedHead = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    private static let chunks = "5\r\nhello\r\n7;a=b\r\n, world\r\n0\r\nT: x\r\n\r\n"

    /// Reads on until something else than bytes is supplied.
    private func read(_ stream: BodyStream, _ text: inout String) -> BodyStream.Supply {
        while true {
            let supply = stream.supply()
            guard supply == .bytes else { return supply }
            text += String(decoding: stream.available, as: UTF8.self)
            stream.consume(stream.available.count)
        }
    }

    /// Waits for the socket as well: loopback delivers at once, but not before `send` returns.
    private func readOn(_ stream: BodyStream, until expected: BodyStream.Supply) -> String {
        var text = ""
        let deadline = Clock.now() + .seconds(ForeignLoop.patience)
        while read(stream, &text) != expected, Clock.now() < deadline {
            stream.waitUntilReadable(milliseconds: 10)
        }
        return text
    }

    @Test(arguments: [(lengthHead, "hello, world"), (chunkedHead, chunks)])
    func aBodyUnderEverySplit(head: String, body: String) throws {
        let loop = try Loop()
        let client = try loop.loop.client()
        let wire = Array(body.utf8)
        for cut in 0..<wire.count {
            client.forget()
            client.send(head + String(decoding: wire[..<cut], as: UTF8.self))
            let stream = try loop.stream()
            var text = ""
            #expect(read(stream, &text) == .wait)
            client.send(String(decoding: wire[cut...], as: UTF8.self) + Request.get("/next"))
            text += readOn(stream, until: .end)
            #expect(text == "hello, world")
            #expect(stream.supply() == .end)
            loop.finish()
            let expected = Answer.text("done") + Answer.text("GET /next")
            #expect(loop.loop.run { client.has(expected) })
            #expect(client.text == expected)
        }
    }

    @Test(arguments: [
        (lengthHead + "hello, world", "POST /a inline 12 hello, world"),
        (chunkedHead + chunks, "POST /a memory 12 hello, world"),
        (chunkedHead + "0\r\n\r\n", "POST /a"),
    ])
    func aBodyThatIsThereIsNoStream(request: String, line: String) throws {
        let loop = try Loop()
        let client = try loop.loop.client()
        client.send(request + Request.get("/next"))
        let expected = Answer.text(line) + Answer.text("GET /next")
        #expect(loop.loop.run { client.has(expected) })
        #expect(client.text == expected)
    }

    @Test func aFaultInWhatIsThereIsRefusedAtOnce() throws {
        let loop = try Loop()
        let client = try loop.loop.client()
        client.send(Self.chunkedHead + "5\r\nhelloX")
        #expect(loop.loop.run { client.hasEnded() })
        #expect(client.text.contains("missing-chunk-terminator"))
        #expect(loop.running.isEmpty)
    }

    @Test func aRefusalHasTheLooksThatTheHeadAsksFor() throws {
        let loop = try Loop()
        let client = try loop.loop.client()
        let fields = "Host: a\r\nAccept: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.send("POST /a HTTP/1.1\r\n" + fields + "x\r\n")
        #expect(loop.loop.run { client.hasEnded() })
        #expect(client.text.contains("\"id\": \"invalid-chunk-size\""))
        let other = try loop.loop.client()
        other.send("HEAD /a HTTP/1.1\r\n" + fields + "x\r\n")
        #expect(loop.loop.run { other.hasEnded() })
        #expect(other.text.hasPrefix("HTTP/1.1 400 "))
        #expect(other.text.hasSuffix("\r\n\r\n"))
    }

    @Test(arguments: [("5\r\nhelloX", WireFault.missingChunkTerminator), ("b\r\n", .bodyTooLarge)])
    func aFaultStays(rest: String, fault: WireFault) throws {
        let loop = try Loop { $0.policy.limitRequestBody = 10 }
        let client = try loop.loop.client()
        client.send(Self.chunkedHead)
        let stream = try loop.stream()
        client.send(rest)
        _ = readOn(stream, until: .failed(.wire(WireError(fault))))
        #expect(stream.supply() == .failed(.wire(WireError(fault))))
        #expect(stream.fault == .wire(WireError(fault)))
        loop.loop.finish(loop.running.removeFirst(), with: "", persist: false)
        #expect(loop.loop.run { client.hasEnded() })
        #expect(loop.loop.notices.map(\.text) == ["Invalid request from ip=127.0.0.1: \(fault.rawValue)."])
    }

    @Test(arguments: [true, false])
    func aClientThatLeavesIsNoticed(rudely: Bool) throws {
        let loop = try Loop()
        let client = try loop.loop.client()
        client.send(Self.lengthHead + "hello")
        let stream = try loop.stream()
        if rudely { client.reset() } else { client.finishSending() }
        let text = readOn(stream, until: .failed(.disconnected))
        #expect(text == "hello")
        #expect(!stream.isComplete)
        loop.loop.finish(loop.running.removeFirst(), with: "", persist: false)
        client.close()
        #expect(loop.loop.run { loop.loop.reactor.connectionCount == 0 })
    }

    @Test func onlyWaitingIsLate() throws {
        let loop = try Loop { $0.timeouts.body = .seconds(10) }
        let client = try loop.loop.client()
        client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n")
        let stream = try loop.stream()
        #expect(stream.supply() == .wait)
        stream.noteWaited(.seconds(6))
        #expect(stream.patience == .seconds(4))
        // Too little to count.
        #expect(client.offer(pattern(1000)[...]) == 1000)
        #expect(readOn(stream, until: .wait).utf8.count == 1000)
        #expect(stream.patience == .seconds(4))
        #expect(client.offer(pattern(Timeouts.progress)[...]) == Timeouts.progress)
        #expect(readOn(stream, until: .wait).utf8.count == Timeouts.progress)
        #expect(stream.patience == .seconds(10))
        stream.noteWaited(.seconds(10))
        #expect(stream.supply() == .failed(.wire(WireError(.bodyTimeout))))
        loop.finish()
    }

    @Test func theClientIsAskedByTheFirstReadAlone() throws {
        let loop = try Loop()
        let client = try loop.loop.client()
        let head = "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        client.send(head)
        let stream = try loop.stream()
        #expect(!loop.loop.run(milliseconds: 20) { client.has(count: 1) })
        #expect(stream.supply() == .wait)
        #expect(stream.supply() == .wait)
        #expect(loop.loop.run { client.has(count: 25) })
        #expect(client.text == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("hello")
        #expect(readOn(stream, until: .end) == "hello")
        loop.finish()

        client.forget()
        client.send(head)
        let other = try loop.stream()
        #expect(other.cancelContinue())
        #expect(!other.cancelContinue())
        #expect(other.supply() == .wait)
        loop.loop.finish(loop.running.removeFirst(), with: Answer.text("no"), persist: false)
        #expect(loop.loop.run { client.hasEnded() })
        #expect(client.text == Answer.text("done") + Answer.text("no"))
    }

    // MARK: What is left

    @Test(arguments: [(lengthHead, "hello, world"), (chunkedHead, chunks)], [0, 3])
    func anUnreadRestIsThrownAway(request: (head: String, body: String), taken: Int) throws {
        let loop = try Loop()
        let client = try loop.loop.client()
        client.send(request.head + request.body.prefix(8))
        let stream = try loop.stream()
        #expect(stream.supply() == .bytes)
        stream.consume(taken)
        loop.finish()
        #expect(loop.loop.run { client.has(Answer.text("done")) })
        client.send(request.body.dropFirst(8) + Request.get("/next"))
        let expected = Answer.text("done") + Answer.text("GET /next")
        #expect(loop.loop.run { client.has(expected) })
        #expect(client.text == expected)
    }

    @Test func aLongRestEndsTheConnection() throws {
        let loop = try Loop()
        let client = try loop.loop.client()
        client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        _ = try loop.stream()
        loop.finish()
        var rest = pattern(100_000)[...]
        #expect(
            loop.loop.run {
                rest = rest.dropFirst(client.offer(rest))
                return client.hasEnded()
            })
        #expect(client.text == Answer.text("done"))
    }

    @Test func aRestThatDoesNotComeEndsTheConnection() throws {
        let loop = try Loop { $0.timeouts.linger = .milliseconds(100) }
        let client = try loop.loop.client()
        client.send(Self.lengthHead)
        _ = try loop.stream()
        loop.finish()
        #expect(loop.loop.run { client.hasEnded() })
        #expect(client.text == Answer.text("done"))
        #expect(loop.loop.run { loop.loop.reactor.connectionCount == 0 })
    }

    @Test func aHeldRequestIsAStreamToo() throws {
        let loop = try Loop()
        let client = try loop.loop.client()
        client.send(Self.lengthHead + "hello")
        #expect(loop.loop.serve { loop.loop.hasHeldRequests })
        loop.loop.turn()
        let stream = try loop.stream()
        client.send(", world")
        #expect(readOn(stream, until: .end) == "hello, world")
        loop.finish()
        #expect(loop.loop.run { client.has(Answer.text("done")) })
    }

    @Test func aConnectionWhoseRestIsAwaitedDoesNotKeepTheWorker() throws {
        let loop = try Loop()
        let client = try loop.loop.client()
        client.send(Self.lengthHead)
        _ = try loop.stream()
        #expect(!loop.loop.isDrained)
        loop.finish()
        #expect(loop.loop.run { client.has(Answer.text("done")) })
        #expect(loop.loop.isDrained)
    }
}
