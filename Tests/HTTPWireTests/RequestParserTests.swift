import HTTPWire
import Testing

@Suite struct RequestParserTests {
    @Test func readsASmallRequest() throws {
        let text = "GET /hello?name=x HTTP/1.1\r\nHost: example.org\r\nUser-Agent: \tprobe/1 \r\nX-Odd: \r\n\r\nrest"
        let head = try #require(parse(text).head)
        #expect(head.byteCount == text.utf8.count - 4)
        #expect(head.method == "GET")
        #expect(head.knownMethod == .get)
        #expect(head.target == "/hello?name=x")
        #expect(head.path == "/hello")
        #expect(head.query == "name=x")
        #expect(head.version == .http11)
        #expect(
            head.fields == [
                .init(name: "Host", value: "example.org", kind: .host),
                .init(name: "User-Agent", value: "probe/1", kind: .userAgent),
                .init(name: "X-Odd", value: "", kind: .other),
            ])
        #expect(head.framing == .none)
        #expect(head.isPersistent)
    }

    @Test func everyPrefixIsIncomplete() {
        let text = "\r\nPOST /a HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 12\r\nAccept: */*\r\n\r\n"
        var parser = RequestParser(policy: RequestPolicy())
        for length in 0..<text.utf8.count {
            let outcome = parser.outcome(Array(bytes(text).prefix(length)))
            #expect(outcome == .more)
        }
        #expect(parse(text).head?.framing == .length(12))
    }

    @Test func storageIsReusedAcrossRequests() {
        var parser = RequestParser(policy: RequestPolicy())
        let many = "GET / HTTP/1.1\r\nHost: h\r\n" + (0..<99).map { "X-\($0): \($0)\r\n" }.joined() + "\r\n"
        #expect(parser.outcome(bytes(many)).head?.fields.count == 100)
        let one = parser.outcome(bytes("GET / HTTP/1.1\r\nHost: h\r\n\r\n"))
        #expect(one.head?.fields.count == 1)
        #expect(parser.outcome(bytes(many)).head?.fields.last?.value == "98")
    }

    @Test func knownNamesAreRecognizedInAnyCase() throws {
        for kind in FieldKind.allCases where kind != .other && kind != .scriptName {
            let name = kind.name.withUTF8Buffer { latin1($0) }
            for spelling in [name, name.uppercased(), name.capitalized] {
                let values = ["content-length": "1", "transfer-encoding": "chunked", "expect": "100-continue"]
                let value = values[name] ?? "x"
                let host = kind == .host ? "" : "Host: h\r\n"
                let outcome = parse("GET / HTTP/1.1\r\n\(host)\(spelling): \(value)\r\n\r\n")
                #expect(try #require(outcome.head, "\(spelling)").fields.last?.kind == kind)
            }
            // A byte that differs from the name in the bit of the letter case only, but is no letter.
            var damaged = bytes(name)
            for position in damaged.indices where damaged[position] == UInt8(ascii: "-") {
                damaged[position] = 0x0D
                var parser = RequestParser(policy: RequestPolicy())
                #expect(parser.outcome(bytes("GET / HTTP/1.1\r\n") + damaged + bytes(": x\r\n\r\n")).fault != nil)
                damaged[position] = UInt8(ascii: "-")
            }
        }
    }
}

extension String {
    fileprivate var capitalized: String {
        split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: "-")
    }
}
