import Platform
import ProxyWire
import Testing

@testable import Transport

/// Connections that start with a PROXY header.
@Suite struct ReactorPreambleTests {
    private static let line = "PROXY TCP4 192.0.2.1 198.51.100.2 5000 80\r\n"
    private static let announced = SocketAddress.ipv4(address: 0xC000_0201, port: 5000)

    /// - Parameter seen: called with each connection while its request runs.
    private func loop(
        _ mode: ProxyMode = .auto, trust: PeerTrust = .announcing, timeout: Int64 = 60_000,
        seen: @escaping (Connection) -> Void = { _ in }
    ) throws -> ForeignLoop {
        let loop = try ForeignLoop(trust: trust) {
            $0.proxyMode = mode
            $0.timeouts.head = .milliseconds(Int(timeout))
        }
        loop.handle = {
            seen($0)
            $1.answer($0)
        }
        return loop
    }

    /// The header may come in any pieces, with any part of the requests behind it in the same piece.
    @Test func everyCutOfTwoPipelinedRequests() throws {
        let bytes = Self.line + Request.get("/1") + Request.post("/2", "two")
        let expected = ["GET /1", "POST /2 inline 3 two"]
        for cut in 0...bytes.utf8.count {
            var peers: [SocketAddress] = []
            let loop = try loop { peers.append($0.peer) }
            let client = try loop.client()
            client.send(String(bytes.prefix(cut)))
            for _ in 0..<3 { loop.turn() }
            client.send(String(bytes.dropFirst(cut)))
            #expect(loop.run { loop.handled.count == 2 })
            // Where the body is depends on the cut.
            #expect(loop.handled.map { $0.replacing("memory", with: "inline") } == expected, "cut at \(cut)")
            #expect(peers == [Self.announced, Self.announced])
        }
    }

    @Test func byteByByte() throws {
        var routes: [ProxyHeader.Route?] = []
        let loop = try loop { routes.append($0.proxyRoute) }
        let client = try loop.client()
        for byte in (Self.line + Request.get("/a")).unicodeScalars {
            client.send(String(byte))
            for _ in 0..<3 { loop.turn() }
        }
        #expect(loop.run { client.has(Answer.text("GET /a")) })
        #expect(client.text == Answer.text("GET /a"))
        let source = ProxyEndpoint(address: .v4(0xC000_0201), port: 5000)
        let destination = ProxyEndpoint(address: .v4(0xC633_6402), port: 80)
        #expect(routes == [.tcp4(source: source, destination: destination)])
    }

    @Test(arguments: ["PROXY UNKNOWN\r\n", ""])
    func thePeerStandsWhereNobodyIsAnnounced(header: String) throws {
        var peers: [SocketAddress] = []
        let loop = try loop { peers.append($0.peer) }
        let client = try loop.client()
        client.send(header + Request.get("/a"))
        #expect(loop.run { client.has(Answer.text("GET /a")) })
        guard case .ipv4(0x7F00_0001, _)? = peers.first else {
            Issue.record("\(peers)")
            return
        }
    }

    /// It stands in front of a connection, not of a request.
    @Test func aSecondHeaderIsABadRequest() throws {
        let loop = try loop()
        let client = try loop.client()
        client.send(Self.line + Request.get("/a") + Self.line + Request.get("/b"))
        #expect(loop.run { client.hasEnded() })
        #expect(loop.handled == ["GET /a"])
        #expect(client.text.contains("HTTP/1.1 400 "))
        let twice = try loop.client()
        twice.send(Self.line + Self.line + Request.get("/a"))
        #expect(loop.run { twice.hasEnded() })
        #expect(twice.text.hasPrefix("HTTP/1.1 400 "))
    }

    @Test(arguments: [
        (ProxyMode.auto, PeerTrust.announcing, "PROXY TCP4 x\r\n", "400", "invalid-proxy-header"),
        (.auto, .forwarding, line, "403", "forbidden-proxy"),
        (.v2, .announcing, line, "400", "missing-proxy-header"),
        (.v1, .announcing, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400", "missing-proxy-header"),
    ])
    func refusals(mode: ProxyMode, trust: PeerTrust, text: String, status: String, id: String) throws {
        let loop = try loop(mode, trust: trust)
        let client = try loop.client()
        client.send(text)
        #expect(loop.run { client.hasEnded() })
        #expect(client.text.hasPrefix("HTTP/1.1 \(status) "))
        #expect(client.text.contains("Connection: close\r\n"))
        #expect(client.text.contains(id))
        #expect(loop.notices.map(\.text) == ["Invalid request from ip=127.0.0.1: \(id)."])
        #expect(loop.handled.isEmpty)
    }

    /// The log names the client that the proxy announced.
    @Test func aBadRequestBehindTheHeaderIsTheClients() throws {
        let loop = try loop()
        let client = try loop.client()
        client.send(Self.line + "nonsense\r\n")
        #expect(loop.run { client.hasEnded() })
        #expect(loop.notices.map(\.text) == ["Invalid request from ip=192.0.2.1: invalid-method."])
    }

    // MARK: Time and ends

    @Test(arguments: ["", line])
    func withoutARequestAConnectionIsClosedWithoutAWord(text: String) throws {
        let loop = try loop(timeout: 100)
        let client = try loop.client()
        client.send(text)
        #expect(loop.run { client.hasEnded() })
        #expect(client.text == "")
    }

    @Test func theTimeForAHeadIsTheTimeForAHeader() throws {
        let loop = try loop(timeout: 100)
        let client = try loop.client()
        client.send("PROXY TCP4")
        #expect(loop.run { client.hasEnded() })
        #expect(client.text.hasPrefix("HTTP/1.1 408 "))
    }

    @Test func aClientMayLeaveInsideTheHeader() throws {
        let loop = try loop()
        let client = try loop.client()
        client.send("PROXY TCP4")
        for _ in 0..<3 { loop.turn() }
        client.close()
        #expect(loop.run { loop.reactor.connectionCount == 0 })
        #expect(loop.notices.isEmpty)
    }

    @Test func closingEndsAConnectionThatSaidNothing() throws {
        let loop = try loop()
        let silent = try loop.client()
        let partial = try loop.client()
        partial.send("PROXY TCP4")
        #expect(
            loop.run {
                loop.reactor.connectionCount == 2 && loop.reactor.connections.contains { !$0.awaitsRequest }
            })
        loop.reactor.beginClosing(loop.baton)
        loop.turn()
        #expect(loop.run { silent.hasEnded() })
        #expect(!loop.isDrained)
        partial.send(" 192.0.2.1 198.51.100.2 5000 80\r\n" + Request.get("/a"))
        #expect(loop.run { partial.hasEnded() })
        #expect(partial.text == Answer.text("GET /a"))
    }
}
