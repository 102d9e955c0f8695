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
}
