import HTTPWire
import Testing

@Suite struct ResponseHeadWriterTests {
    /// 1994-11-06 08:49:37 UTC, the example of RFC 9110 §5.6.7.
    static let date = HTTPDate(unixSeconds: 784_111_777)
    static let prefix = "Server: monoceros\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

    /// Writes one response as an application would have it.
    static func write(
        _ status: String = "200 OK", _ fields: [(String, String)] = [], version: HTTPVersion = .http11,
        isPersistent: Bool = true, framing: ResponseFraming = .asIs
    ) throws -> String {
        var writer = ResponseHeadWriter()
        try writer.begin(status: bytes(status).span.bytes)
        for (name, value) in fields { try writer.append(name: bytes(name).span.bytes, value: bytes(value).span.bytes) }
        writer.finish(version: version, isPersistent: isPersistent, framing: framing, date: date)
        return latin1(writer.bytes)
    }

    static func fault(_ status: String, _ fields: [(String, String)] = []) -> ResponseFault? {
        do {
            _ = try write(status, fields)
            return nil
        } catch {
            return error as? ResponseFault
        }
    }

    @Test func writesHeadAndBodyAsOneRun() throws {
        var writer = ResponseHeadWriter()
        for _ in 0..<2 {
            writer.reset()
            try writer.begin(status: bytes("200 OK").span.bytes)
            try writer.append(name: bytes("Content-Type").span.bytes, value: bytes(" text/plain\t").span.bytes)
            try writer.append(name: bytes("X-Latin").span.bytes, value: bytes("caf\u{e9}").span.bytes)
            writer.finish(version: .http11, isPersistent: true, framing: .contentLength(5), date: Self.date)
            writer.appendBody(bytes("hello").span.bytes)
            #expect(
                latin1(writer.bytes) == """
                    HTTP/1.1 200 OK\r
                    Server: monoceros\r
                    Date: Sun, 06 Nov 1994 08:49:37 GMT\r
                    Connection: keep-alive\r
                    Content-Length: 5\r
                    Content-Type: text/plain\r
                    X-Latin: caf\u{e9}\r
                    \r
                    hello
                    """)
            #expect(writer.byteCount == writer.bytes.count)
        }
    }

    /// Names are checked, and told apart, by words that may overlap.
    @Test func namesOfEveryLengthAreToldApart() throws {
        let plain = "Abcdefgh-Ijklmnop-Qrstuvwx-Yz"
        for length in 1...plain.count {
            let name = String(plain.prefix(length))
            #expect(try Self.write("200 OK", [(name, "v")]).contains("\r\n\(name): v\r\n"))
            for place in 0..<length {
                var broken = Array(name.utf8)
                broken[place] = UInt8(ascii: " ")
                #expect(Self.fault("200 OK", [(String(decoding: broken, as: UTF8.self), "v")]) == .invalidFieldName)
                // A token byte that is neither letter nor hyphen.
                broken[place] = UInt8(ascii: "_")
                let odd = String(decoding: broken, as: UTF8.self)
                #expect(try Self.write("200 OK", [(odd, "v")]).contains("\r\n\(odd): v\r\n"))
            }
        }
        let dropped = ["trailers", "keep-alive", "proxy-connection", "transfer-encoding", "proxy-authorization"]
        for name in dropped + ["proxy-authenticate", "date", "te", "server", "trailer"] {
            for spelling in [name, name.uppercased()] {
                #expect(try !Self.write("200 OK", [(spelling, "mine")]).contains("mine"))
            }
            for place in 0..<name.utf8.count {
                // Another letter, and what differs from a hyphen in the bit of a letter's case alone is no token byte.
                var other = Array(name.utf8)
                other[place] = other[place] == UInt8(ascii: "q") ? UInt8(ascii: "z") : UInt8(ascii: "q")
                let field = (String(decoding: other, as: UTF8.self), "mine")
                #expect(try Self.write("200 OK", [field]).contains("mine"))
            }
        }
    }

    @Test func framings() throws {
        let head = "HTTP/1.1 200 OK\r\n\(Self.prefix)Connection: keep-alive\r\n"
        let length = [("Content-Length", "3")]
        #expect(try Self.write() == head + "\r\n")
        #expect(try Self.write(framing: .none) == head + "\r\n")
        #expect(try Self.write(framing: .chunked) == head + "Transfer-Encoding: chunked\r\n\r\n")
        #expect(try Self.write(framing: .contentLength(0)) == head + "Content-Length: 0\r\n\r\n")
        #expect(
            try Self.write(framing: .contentLength(.max)) == head + "Content-Length: 9223372036854775807\r\n\r\n")
        #expect(try Self.write("200 OK", length) == head + "Content-Length: 3\r\n\r\n")
        #expect(try Self.write("200 OK", length, framing: .contentLength(4)) == head + "Content-Length: 4\r\n\r\n")
        // Never both, whatever the application said.
        #expect(try Self.write("200 OK", length, framing: .chunked) == head + "Transfer-Encoding: chunked\r\n\r\n")
        #expect(try Self.write("200 OK", length, framing: .none) == head + "\r\n")
    }

    @Test(arguments: ["101 Switching Protocols", "204 No Content", "199 X"])
    func noFramingWhereNoBodyCanBe(_ status: String) throws {
        for framing: ResponseFraming in [.asIs, .contentLength(2), .chunked, .none] {
            let head = try Self.write(status, [("Content-Length", "2")], framing: framing)
            #expect(head == "HTTP/1.1 \(status)\r\n\(Self.prefix)Connection: keep-alive\r\n\r\n")
        }
    }

    @Test func notModifiedKeepsItsLength() throws {
        #expect(try Self.write("304 Not Modified", [("Content-Length", "2")]).contains("Content-Length: 2\r\n"))
    }

    @Test func statusesThatAllowABody() throws {
        for code in 100...999 {
            var writer = ResponseHeadWriter()
            try writer.begin(status: bytes("\(code)").span.bytes)
            #expect(writer.statusCode == code)
            #expect(writer.allowsBody == !(code < 200 || [204, 205, 304].contains(code)))
        }
    }

    @Test func versionAndConnection() throws {
        #expect(
            try Self.write(version: .http10, isPersistent: false)
                == "HTTP/1.0 200 OK\r\n\(Self.prefix)Connection: close\r\n\r\n")
        #expect(
            try Self.write("101 Switching Protocols", [("Connection", "Upgrade"), ("Upgrade", "WebSocket")])
                .hasSuffix("Connection: upgrade\r\nUpgrade: WebSocket\r\n\r\n"))
        // 426 names the protocol to change to, and the connection may end behind it all the same.
        for (status, isPersistent, connection) in [
            ("101 X", false, "upgrade"), ("426 X", true, "upgrade"), ("426 X", false, "upgrade, close"),
        ] {
            #expect(
                try Self.write(status, [("Connection", "upgrade")], isPersistent: isPersistent)
                    == "HTTP/1.1 \(status)\r\n\(Self.prefix)Connection: \(connection)\r\n\r\n")
        }
    }

    @Test func reasonPhrases() throws {
        #expect(try Self.write("299").hasPrefix("HTTP/1.1 299 \r\nServer"))
        #expect(try Self.write("299 ").hasPrefix("HTTP/1.1 299 \r\nServer"))
        #expect(try Self.write("299 caf\u{e9}\tx").hasPrefix("HTTP/1.1 299 caf\u{e9}\tx\r\nServer"))
        let long = "299 " + String(repeating: "r", count: 5000)
        #expect(
            try Self.write(long, [("A", "b")])
                == "HTTP/1.1 \(long)\r\n\(Self.prefix)Connection: keep-alive\r\nA: b\r\n\r\n")
        #expect(Self.fault("299 " + String(repeating: "r", count: 9000)) == .headTooLarge)
    }

    @Test(arguments: [
        "", "2", "20", "2000", "200OK", "200\tOK", " 200 OK", "099 X", "000", "2x0 X", "-20 X", "200 a\r\nX: y",
        "200 \n", "200 \0", "200 \u{7f}", "\u{b2}00 OK",
    ])
    func badStatus(_ status: String) {
        #expect(Self.fault(status) == .invalidStatus)
    }

    @Test func everyByteInNameAndValue() throws {
        let token = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for byte in UInt8.min...UInt8.max {
            // At every position of the words in which names are looked at.
            for position in 0..<18 {
                var name = Array(repeating: UInt8(ascii: "n"), count: 18)
                name[position] = byte
                #expect(Self.fault("200 OK", [(latin1(name), "v")]) == (token.contains(byte) ? nil : .invalidFieldName))
                var value = name
                value[position] = byte
                let isAllowed = byte == 9 || byte >= 0x20 && byte != 0x7F
                #expect(Self.fault("200 OK", [("N", latin1(value))]) == (isAllowed ? nil : .invalidFieldValue))
            }
        }
        #expect(Self.fault("200 OK", [("", "v")]) == .invalidFieldName)
        #expect(try Self.write("200 OK", [("E", ""), ("S", " \t ")]).hasSuffix("\r\nE: \r\nS: \r\n\r\n"))
    }

    @Test(arguments: [
        "Connection", "keep-alive", "Proxy-Authenticate", "PROXY-AUTHORIZATION", "TE", "Trailers", "transfer-encoding",
        "Upgrade", "Server", "date", "Trailer", "proxy-CONNECTION",
    ])
    func serversOwnFieldsAreDropped(_ name: String) throws {
        #expect(try Self.write("200 OK", [(name, "x"), ("A", "b")]) == Self.write("200 OK", [("A", "b")]))
    }

    @Test(arguments: [
        "Tf", "Dats", "Servet", "Upgradf", "Trailes", "Trailert", "Proxy-Connectiom", "Connectiom", "Set-Cookie",
        "Retry-After",
    ])
    func othersAreNot(_ name: String) throws {
        #expect(try Self.write("200 OK", [(name, "x")]).contains("\r\n\(name): x\r\n"))
    }

    @Test func contentLength() throws {
        var writer = ResponseHeadWriter()
        try writer.begin(status: bytes("200 OK").span.bytes)
        #expect(writer.contentLength == nil)
        try writer.append(name: bytes("content-LENGTH").span.bytes, value: bytes(" 0012 ").span.bytes)
        #expect(writer.contentLength == 12)
        #expect(Self.fault("200 OK", [("Content-Length", "1"), ("Content-Length", "1")]) == .duplicateContentLength)
        #expect(Self.fault("200 OK", [("Content-Length", "1"), ("Content-Length", "2")]) == .duplicateContentLength)
        for value in ["", "-1", "+1", "1.0", "1, 1", "1 1", "x", "9223372036854775808", "\u{b2}"] {
            #expect(Self.fault("200 OK", [("Content-Length", value)]) == .invalidContentLength)
        }
    }

    @Test func applicationWantsClose() throws {
        for (value, wanted) in [("close", true), ("x, CLOSE", true), ("closed", false), ("keep-alive", false)] {
            var writer = ResponseHeadWriter()
            try writer.begin(status: bytes("200 OK").span.bytes)
            try writer.append(name: bytes("Connection").span.bytes, value: bytes(value).span.bytes)
            #expect(writer.applicationWantsClose == wanted)
            writer.reset()
            #expect(writer.applicationWantsClose == false)
        }
    }

    @Test func theBufferGrowsAndShrinks() throws {
        var writer = ResponseHeadWriter(capacity: 0)
        for count in [1, 300, 70_000, 400_000, 1] {
            writer.reset()
            try writer.begin(status: bytes("200 OK").span.bytes)
            let value = String(repeating: "v", count: count)
            try writer.append(name: bytes("A").span.bytes, value: bytes(value).span.bytes)
            writer.finish(version: .http11, isPersistent: true, framing: .none, date: Self.date)
            let body = [UInt8](repeating: 0x62, count: count * 2)
            writer.appendBody(body.span.bytes)
            #expect(latin1(writer.bytes).hasSuffix("\r\nA: \(value)\r\n\r\n" + latin1(body)))
            #expect(latin1(writer.bytes).hasPrefix("HTTP/1.1 200 OK\r\nServer: monoceros\r\n"))
        }
        let half = String(repeating: "v", count: ResponseHeadWriter.headSizeLimit / 2)
        #expect(Self.fault("200 OK", [("A", half), ("B", half)]) == .headTooLarge)
    }
}
