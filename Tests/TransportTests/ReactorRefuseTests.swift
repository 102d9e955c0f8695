import HTTPWire
import Testing

@testable import Transport

/// What a client that is refused gets, at whatever moment its fault is found.
@Suite struct ReactorRefuseTests {
    private static let json = "Accept: application/json\r\n"

    private func page(_ pieces: [String]) throws -> String {
        let loop = try ForeignLoop { $0.policy.limitRequestBody = 1000 }
        let client = try loop.client()
        for piece in pieces {
            client.send(piece)
            for _ in 0..<3 { loop.turn() }
        }
        #expect(loop.run { client.hasEnded() })
        return client.text
    }

    @Test(arguments: [
        // The fault in front of the field, behind it, in another part of the request.
        ["GET / HTTP/1.1\r\nNo colon\r\n\(json)Host: a\r\n\r\n"],
        ["GET / HTTP/1.1\r\n\(json)\r\n"],
        ["GET / HTTP/7.1\r\n\(json)Host: a\r\n\r\n"],
        ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\(json)\r\n"],
        ["POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\(json)\r\n", "x\r\n"],
        // The head in pieces.
        ["GET / HTTP/1.1\r\nHost: a\r\n\(json)", "No colon\r\n\r\n"],
    ])
    func jsonForWhoPrefersIt(_ pieces: [String]) throws {
        let page = try page(pieces)
        #expect(page.contains("\r\nContent-Type: application/json\r\n"))
        #expect(page.contains("\r\n\r\n{\"status\": "))
        #expect(page.hasSuffix("\"}\n"))
    }

    @Test(arguments: [
        "HEAD / HTTP/1.1\r\n\r\n", "HEAD / HTTP/7.1\r\nHost: a\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n",
    ])
    func noBodyForHead(_ request: String) throws {
        let page = try page([request])
        #expect(page.hasPrefix("HTTP/1.1 "))
        #expect(page.contains("\r\nContent-Length: 1"))
        #expect(page.hasSuffix("\r\n\r\n"))
        #expect(!page.contains("<"))
    }

    @Test func htmlForWhatIsNoRequest() throws {
        #expect(try page(["\u{16}\u{3}\u{1}"]).hasSuffix("</html>\n"))
    }

    /// A client may leave in its bodies as often as it likes: the log has a few lines of it, and how many it has not.
    @Test func aFloodOfCutBodiesIsAFewLines() throws {
        let loop = try ForeignLoop()
        for _ in 0..<(LineBudget.most + 5) {
            let client = try loop.client()
            client.send(String(Request.post("/a", "hello").dropLast()))
            #expect(loop.run { loop.reactor.connections.contains { $0.phase.kind == .body } })
            client.close()
            #expect(loop.run { loop.reactor.connectionCount == 0 })
        }
        let notices = loop.notices
        #expect(notices.count == LineBudget.most)
        #expect(notices.allSatisfy { $0.text.hasSuffix("left after 4 of 5 bytes of the body. It is not served.") })
    }

    /// The same for bodies that cannot be kept; the next line that is written counts those that were not.
    @Test func aFloodOfUnkeptBodiesIsAFewLines() throws {
        let loop = try ForeignLoop {
            $0.body.memory = 0
            $0.body.spoolDirectory = "/nonexistent"
        }
        let count = LineBudget.most + 5
        for _ in 0..<count {
            let client = try loop.client()
            client.send(Request.post("/a", "hello"))
            #expect(loop.run { client.hasEnded() })
            #expect(client.text.hasPrefix("HTTP/1.1 503 "))
        }
        let notices = loop.notices
        #expect(notices.count == LineBudget.most && notices.allSatisfy { $0.level == .error })
        loop.reactor.now += 2 * LineBudget.interval
        loop.reactor.note(.error, within: &loop.reactor.unkeptBodyLines, "one more")
        #expect(loop.notices.map(\.text) == ["one more (5 more like this were not written)"])
    }
}
