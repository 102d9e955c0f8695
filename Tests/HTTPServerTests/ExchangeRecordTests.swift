import HTTPServer
import HTTPWire
import Testing

@Suite struct ExchangeRecordTests {
    @Test func endings() throws {
        for (state, ending): (ResponseWriter.State, ExchangeRecord.Ending) in [
            (.waiting, .underWay), (.started, .underWay), (.committed(.chunked), .underWay),
            (.sending(.length(5)), .underWay), (.complete, .answered), (.short(missing: 5), .tooShort(missing: 5)),
            (.refused, .refused(id: "application-error")), (.cut, .failed), (.lost(.waiting), .clientLeft),
            (.lost(.committed), .clientLeft),
        ] {
            var record = ExchangeRecord()
            record.note(try ResponseWriterTests.writer(in: state))
            #expect(record.ending == ending, "\(state)")
        }
    }

    @Test func whatAResponseTells() throws {
        var writer = ResponseWriter.begun()
        try writer.start("201 Created")
        writer.commit()
        let sent = writer.add("hello").text + writer.finish().text
        var record = ExchangeRecord()
        record.note(writer)
        #expect(record.status == 201 && record.bodyCount == 5 && record.sentCount == sent.utf8.count)
        writer.lose(unsent: 7)
        record.note(writer)
        #expect(record.status == 201 && record.sentCount == sent.utf8.count - 7 && record.ending == .clientLeft)
    }

    @Test func whatARefusalTells() {
        let refusal = Refusal(WireError(.bareLineFeed), for: ErrorAudience())
        var record = ExchangeRecord()
        record.note(refusal, sentCount: 300)
        #expect(record.status == 400 && record.sentCount == 300 && record.ending == .refused(id: "bare-line-feed"))
    }

    @Test func durations() {
        var record = ExchangeRecord()
        #expect(record.duration == 0 && record.waited == 0 && record.applicationDuration == 0)
        record.began = 100
        record.headComplete = 130
        record.applicationBegan = 150
        record.applicationReturned = 190
        record.handedOver = 260
        #expect(record.duration == 160 && record.waited == 20 && record.applicationDuration == 40)
        // A clock that differs between processors must not make hours of it.
        record.handedOver = 99
        #expect(record.duration == 0)
        record.applicationBegan = 0
        #expect(record.waited == 0 && record.applicationDuration == 0)
    }
}

@Suite struct RequestLineTests {
    /// The pieces of a line as text.
    static func pieces(_ line: RequestLine, _ head: String) -> [String] {
        let bytes = bytes(head)
        return [line.whole, line.method, line.target, line.path, line.query].map { latin1(bytes[$0.offsets]) }
    }

    @Test func ofAHeadThatWasParsed() throws {
        for (prefix, method, target, path, query, version): (String, String, String, String, String, HTTPVersion) in [
            ("", "GET", "/", "/", "", .http11), ("\r\n", "POST", "/a%20b?c=d", "/a%20b", "c=d", .http10),
            ("", "OPTIONS", "*", "*", "", .http11), ("", "GET", "http://a/b?c", "/b", "c", .http11),
            ("", "CONNECT", "a:1", "", "", .http11), ("", "GET", "/x?y#z", "/x", "y", .http11),
        ] {
            let text = "\(method) \(target) HTTP/1.\(version == .http11 ? 1 : 0)"
            let head = "\(prefix)\(text)\r\nHost: a\r\n\r\n"
            var parser = RequestParser(policy: RequestPolicy())
            try #require(try parser.parse(bytes(head).span.bytes, fromTrustedPeer: false) == .head)
            let line = RequestLine(parser.head)
            #expect(Self.pieces(line, head) == [text, method, target, path, query])
            #expect(line.version == version && line.knownMethod == parser.head.knownMethod)
        }
    }

    @Test func ofAHeadThatWasNot() {
        for (head, whole, method, target) in [
            ("", "", "", ""), ("\r\n", "", "", ""), ("GET", "GET", "GET", ""), ("GET ", "GET ", "GET", ""),
            ("GET /a\r\nX", "GET /a", "GET", "/a"), ("\r\nGET /a HTTP/9\nX", "GET /a HTTP/9", "GET", "/a"),
            ("\n", "", "", ""), ("\r", "", "", ""), ("a  b\r\n", "a  b", "a", ""),
            ("\u{16}\u{3}\u{1}\0 x", "\u{16}\u{3}\u{1}\0 x", "\u{16}\u{3}\u{1}\0", "x"),
        ] {
            let line = RequestLine(scanning: bytes(head).span.bytes)
            #expect(Self.pieces(line, head) == [whole, method, target, "", ""])
            #expect(line.version == nil && line.knownMethod == .other)
        }
        #expect(RequestLine.none.whole.isEmpty)
    }

    @Test func aLineWithoutEndIsLookedAtForAWhile() {
        let line = RequestLine(scanning: [UInt8](repeating: 0x61, count: 1 << 20).span.bytes)
        #expect(line.whole.count == 8192)
    }
}
