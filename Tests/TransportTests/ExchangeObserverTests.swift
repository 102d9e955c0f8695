import HTTPServer
import HTTPWire
import Testing

@testable import Transport

/// What is told of exchanges that end.
@Suite struct ExchangeObserverTests {
    private final class Listener: ExchangeObserver {
        var told: [(record: ExchangeRecord, request: String, head: String, response: String)] = []

        func exchangeEnded(
            _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer
        ) {
            let record = copy record
            told.append(
                (
                    record, record.request(head), String(decoding: head, as: UTF8.self),
                    String(decoding: response, as: UTF8.self)
                ))
        }
    }

    @Test func aRefusedRequestIsOneToo() throws {
        let listener = Listener()
        let loop = try ForeignLoop()
        loop.reactor.observer = listener
        let client = try loop.client()
        client.send("GET /bad HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n")
        #expect(loop.run { !listener.told.isEmpty })
        let told = try #require(listener.told.first)
        #expect(listener.told.count == 1)
        #expect(told.request == "GET /bad" && told.head.hasPrefix("GET /bad HTTP/1.1\r\n"))
        guard case .refused(let id) = told.record.ending else {
            Issue.record("\(told.record.ending)")
            return
        }
        #expect(told.record.status == 400 && !id.isEmpty && told.response.hasPrefix("HTTP/1.1 400 "))
        #expect(told.record.sentCount == told.response.utf8.count && told.record.handedOver > 0)
        guard case .ipv4(_, let port) = told.record.client else {
            Issue.record("\(told.record.client)")
            return
        }
        #expect(port != 0)
    }

    @Test func aServedRequestIsToldByItsExchange() throws {
        let listener = Listener()
        let loop = try ForeignLoop()
        let client = try loop.client()
        client.send(Request.post("/things?a=1", "hello"))
        var isTold = false
        #expect(
            loop.run {
                loop.reactor.poll(loop.baton, milliseconds: 2)
                while let exchange = loop.reactor.next(loop.baton, on: loop.bench) {
                    exchange.writer.begin(exchange.traits)
                    exchange.tell(listener, at: exchange.began + 5)
                    loop.reactor.finish(exchange.end(), loop.baton)
                    isTold = true
                }
                return isTold
            })
        let told = try #require(listener.told.first)
        #expect(told.request == "POST /things?a=1" && told.head.hasSuffix("\r\n\r\n") && told.response.isEmpty)
        #expect(told.record.applicationDuration == 5 && told.record.receivedCount == told.head.utf8.count + 5)
    }

    /// Answers a request with a body that no socket takes at once.
    private func answerLarge(_ loop: ForeignLoop, _ listener: Listener, client: LoopbackClient) -> Bool {
        loop.reactor.observer = listener
        client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        var isAnswered = false
        return loop.run {
            loop.reactor.poll(loop.baton, milliseconds: 2)
            while let exchange = loop.reactor.next(loop.baton, on: loop.bench) {
                let body = Array(repeating: UInt8(ascii: "x"), count: Self.size)
                body.withUnsafeBytes { exchange.answer(OwnAnswer("200 OK"), body: $0, mayPersist: true) }
                exchange.tell(listener, at: exchange.began + 5)
                loop.reactor.finish(exchange.end(), loop.baton)
                isAnswered = true
            }
            return isAnswered
        }
    }

    private static let size = 8 << 20

    @Test func aResponseThatWaitsForItsClientIsToldOfWhenItHasLeft() throws {
        let listener = Listener()
        let loop = try ForeignLoop()
        let client = try loop.client(receiveBuffer: 4096)
        #expect(answerLarge(loop, listener, client: client))
        #expect(listener.told.isEmpty)
        #expect(
            loop.run {
                client.receive()
                return !listener.told.isEmpty
            })
        let told = try #require(listener.told.first)
        #expect(told.request == "GET /large" && told.head.hasSuffix("\r\n\r\n"))
        #expect(told.response.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(told.record.ending == .answered && told.record.bodyCount == Self.size)
        #expect(told.record.sentCount == Self.size + told.response.utf8.count)
        #expect(told.record.handedOver > told.record.applicationReturned && told.record.wallSeconds > 0)
        // The next one is none that this is told of.
        #expect(!loop.run(milliseconds: 20) { listener.told.count > 1 })
    }

    @Test func ofAClientThatLeavesItIsToldWhatItWasSent() throws {
        let listener = Listener()
        let loop = try ForeignLoop()
        let client = try loop.client(receiveBuffer: 4096)
        #expect(answerLarge(loop, listener, client: client))
        client.close()
        #expect(loop.run { !listener.told.isEmpty })
        let record = try #require(listener.told.first).record
        #expect(record.ending == .clientLeft && record.status == 200)
        #expect(record.bodyCount > 0 && record.bodyCount < Self.size)
        #expect(record.sentCount == record.bodyCount + (listener.told.first?.response.utf8.count ?? 0))
    }

    @Test func whatNeverLeavesIsToldOfAtTheEnd() throws {
        let listener = Listener()
        let loop = try ForeignLoop()
        let client = try loop.client(receiveBuffer: 4096)
        #expect(answerLarge(loop, listener, client: client))
        loop.tellOfUnsent()
        #expect(listener.told.count == 1 && listener.told.first?.record.ending == .clientLeft)
        client.close()
        #expect(!loop.run(milliseconds: 20) { listener.told.count > 1 })
    }

    @Test func severalObserversHearOfEach() throws {
        let (first, second) = (Listener(), Listener())
        let both = try #require(ExchangeObservers.joining([first, second]))
        let record = ExchangeRecord()
        let (head, response) = (Array("GET /1 HTTP/1.1\r\n\r\n".utf8), Array("HTTP/1.1 200 OK\r\n\r\n".utf8))
        head.withUnsafeBytes { head in
            response.withUnsafeBytes { response in
                var note: [UInt8] = []
                both.remember(record, head: head, response: response, in: &note)
                note.withUnsafeBytes { both.exchangeLeft(record, note: $0) }
            }
        }
        for listener in [first, second] {
            #expect(listener.told.count == 1)
            #expect(listener.told.first?.head == "GET /1 HTTP/1.1\r\n\r\n")
            #expect(listener.told.first?.response == "HTTP/1.1 200 OK\r\n\r\n")
        }
        #expect(ExchangeObservers.joining([]) == nil && ExchangeObservers.joining([first]) === first)
    }
}
