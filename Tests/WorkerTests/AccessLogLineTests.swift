import HTTPServer
import HTTPWire
import Telemetry
import Testing

/// From what became of an exchange to its line, by way of the note.
@Suite struct AccessLogLineTests {
    /// An exchange, and what of it is asked for.
    private struct Example {
        var request = "GET /a%20b?q=1 HTTP/1.1\r\nHost: a\r\nUser-Agent: curl\r\nX-One: 1\r\nReferer: http://r/\r\n\r\n"
        var response = "HTTP/1.1 200 OK\r\nServer: s\r\nX-Own: mine\r\n\r\n"
        var isParsed = true
        var entries: [(String, String?)] = []
        var client = ExchangeRecord.Client.ipv4(0x7F00_0001, port: 5)
        var bodyCount = 5

        func withRecord(_ body: (borrowing ExchangeRecord, UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void) {
            var record = ExchangeRecord()
            record.client = client
            record.status = 200
            record.bodyCount = bodyCount
            record.began = 1000
            record.handedOver = 2_001_000
            record.wallSeconds = 784_111_777
            record.fieldsOffset = 28
            Array(request.utf8).withUnsafeBytes { head in
                var parser = RequestParser(policy: RequestPolicy())
                if isParsed, case .head? = try? parser.parse(head.bytes, fromTrustedPeer: false) {
                    record.line = RequestLine(parser.head)
                    record.noted = NotedFields(parser.head)
                } else {
                    record.line = RequestLine(scanning: head.bytes)
                }
                Array(response.utf8).withUnsafeBytes { body(record, head, $0) }
            }
        }

        func write(for format: AccessLogFormat, to notes: inout TextBuffer) {
            var excerpt = TextBuffer()
            for (name, value) in entries {
                Array(name.utf8).withUnsafeBytes { AccessLogEntry.append($0, to: &excerpt) }
                if let value {
                    Array(value.utf8).withUnsafeBytes { AccessLogEntry.append($0, to: &excerpt) }
                } else {
                    AccessLogEntry.append(nil, to: &excerpt)
                }
            }
            withRecord { record, head, response in
                AccessLogNeeds(format).write(
                    record, head: head, response: response, excerpt: excerpt.bytes, to: &notes)
            }
        }
    }

    private static func lines(_ examples: [Example], _ text: String, mount: String = "") throws -> [String] {
        let format = try AccessLogFormat(text)
        var notes = TextBuffer()
        var out = TextBuffer()
        for example in examples { example.write(for: format, to: &notes) }
        var maker = AccessLogLineMaker(format, isJSON: false, mount: mount)
        maker.write(linesOf: notes.bytes, to: &out)
        return String(decoding: out.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func anAddressThatTheApplicationKnowsBetter() throws {
        let example = Example(entries: [("remote_addr", "2001:db8::1 \"x\"")])
        let lines = try Self.lines([example, Example(), Example(client: .unix)], "%(h)s|%({remote_addr}e)s")
        #expect(lines == [#"2001:db8::1 \"x\"|2001:db8::1 \"x\""#, "127.0.0.1|-", "|-"])
    }

    @Test func theStandardFormatNeedsNoHead() throws {
        let format = try AccessLogFormat(AccessLogFormat.standard)
        let needs = AccessLogNeeds(format)
        #expect(!needs.wholeHead && !needs.responseHead)
        let line = try #require(try Self.lines([Example()], AccessLogFormat.standard).first)
        // The zone is the machine's.
        #expect(line.hasPrefix("127.0.0.1 - - [0") && line.contains("/Nov/1994:"))
        #expect(line.hasSuffix(#"] "GET /a%20b?q=1 HTTP/1.1" 200 5 "http://r/" "curl""#))
    }

    @Test(arguments: [
        "%(r)s|%(m)s|%(U)s|%(q)s|%(H)s|%(f)s|%(a)s", "%(r)s|%(m)s|%(U)s|%(q)s|%(H)s|%({referer}i)s|%({user-agent}i)s",
    ])
    func anEmptyLineMayStandInFront(format: String) throws {
        var example = Example()
        let expected = "GET /a%20b?q=1 HTTP/1.1|GET|/a b|q=1|HTTP/1.1|http://r/|curl"
        #expect(try Self.lines([example], format) == [expected])
        example.request = "\r\n" + example.request
        #expect(try Self.lines([example], format) == [expected])
    }

    @Test func fieldsThatAreNotThereAreADash() throws {
        var example = Example()
        example.request = "GET / HTTP/1.0\r\nReferer:\r\n\r\n"
        #expect(try Self.lines([example], "%(f)s|%(a)s|%(u)s|%({x-one}i)s|%(H)s") == ["|-|-|-|HTTP/1.0"])
    }

    @Test func ofSeveralFieldsTheLastCounts() throws {
        var example = Example()
        example.request = "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: 1\r\nUser-Agent: 2\r\n\r\n"
        #expect(try Self.lines([example], "%(a)s|%({user-agent}i)s") == ["2|2"])
        #expect(try Self.lines([example], "%(a)s") == ["2"])
    }

    @Test func aHeadThatWasNotParsedIsSearched() throws {
        var example = Example()
        example.isParsed = false
        example.request = "GET /x HTTP/1.1\r\nUser-Agent: curl\r\nbad\r\n\r\n"
        #expect(try Self.lines([example], "%(r)s|%(a)s|%(f)s|%(U)s|%(q)s") == ["GET /x HTTP/1.1|curl|-|-|-"])
        example.request = ""
        #expect(try Self.lines([example], "%(r)s|%(a)s") == ["-|-"])
    }

    @Test func theResponseAndTheEnviron() throws {
        var example = Example()
        example.entries = [("remote_user", "Zoë"), ("nothing", nil), ("empty", "")]
        let format = "%({x-own}o)s|%({server}o)s|%({remote_user}e)s|%({nothing}e)s|%({empty}e)s|%({other}e)s"
        #expect(try Self.lines([example], format) == ["mine|-|Zoë|-||-"])
    }

    @Test func whatIsRememberedOfOneLineDoesNotStand() throws {
        var examples = Array(repeating: Example(), count: 6)
        examples[1].client = .ipv4(0x7F00_0001, port: 6)
        examples[2].client = .ipv4(0x0102_0304, port: 6)
        examples[3].client = .ipv6(1, port: 6)
        examples[4].client = .unix
        examples[4].bodyCount = 123_456_789_012
        examples[5].client = .unknown
        #expect(
            try Self.lines(examples, "%(h)s %(b)s")
                == ["127.0.0.1 5", "127.0.0.1 5", "1.2.3.4 5", "::1 5", " 123456789012", "- 5"])
    }

    @Test func aPathIsToldBelowTheMountPoint() throws {
        #expect(try Self.lines([Example()], "%(U)s|", mount: "/a%20b") == ["|"])
        var example = Example()
        example.request = "GET /shop/x%2Fy HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(try Self.lines([example, Example()], "%(U)s", mount: "/shop") == ["/x/y", "/a b"])
    }

    @Test func whatALongLiteralSaysIsKept() throws {
        #expect(
            try Self.lines(
                [Example()], "%(l)s a literal of many bytes %(s)s%(l)s%%%(l)s more of it, 12345678 %(none)s.")
                == ["- a literal of many bytes 200-%- more of it, 12345678 -."])
    }
}
