import HTTPServer
import Testing

@Suite struct ErrorAudienceTests {
    static func audience(_ head: String) -> ErrorAudience { ErrorAudience(head: bytes(head).span.bytes) }

    static func prefersJSON(_ accept: String...) -> Bool {
        let fields = accept.map { "Accept: \($0)\r\n" }.joined()
        return audience("GET / HTTP/1.1\r\nHost: a\r\n\(fields)X: y\r\n\r\n").prefersJSON
    }

    @Test(arguments: [
        // What axios, fetch with JSON, curl -H and API clients send.
        "application/json, text/plain, */*", "application/json", "APPLICATION/JSON", "application/json; charset=utf-8",
        "application/*", "text/html;q=0.5, application/json", "text/html;q=0.999,application/json;q=1.000",
        "*/*;q=0.5,application/json;q=0.5", "text/*;q=0.2, application/json;q=0.3", " ,, application/json ,",
        "text/html;q=0, */*", "application/json;v=1;Q=0.9,text/html;q=0.8", "\tapplication/json\t;\tq=0.1\t",
        "text/html;q=2,application/json", "text/html;q=,application/json;q=0.1", "text/html;q=0.,application/json",
    ])
    func jsonIsPreferred(_ accept: String) {
        #expect(Self.prefersJSON(accept))
    }

    @Test(arguments: [
        // What browsers and curl send.
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "*/*", "",
        "text/html, application/json", "application/json, text/html", "application/json;q=0.5, */*",
        "application/json;q=0", "application/json;q=0, text/html;q=0", "application/*, text/html", "image/png",
        "application/jsonx", "xapplication/json", "application/json/x", "application", "json", ";q=1", ",;,;",
        "application/json;q=1.001", "application/json;q=0.1234", "application/json;q=x", "application/json;q=-1",
        "application/json;q=+1", "application/json;q=1e0", "application/json;q=99999999999999999999",
        "*/*;q=0.9, application/json;q=0.1",
    ])
    func htmlIsPreferred(_ accept: String) {
        #expect(!Self.prefersJSON(accept))
    }

    @Test func severalFieldsAreOneList() {
        #expect(Self.prefersJSON("text/html;q=0.1", "application/json;q=0.2"))
        #expect(!Self.prefersJSON("application/json;q=0.2", "text/html;q=0.3"))
    }

    @Test func headIsRecognized() {
        #expect(Self.audience("HEAD / HTTP/1.1\r\n\r\n").isHead)
        #expect(Self.audience("\r\nHEAD / HTTP/9.9\r\nAccept: application/json\r\n").isHead)
        #expect(Self.audience("HEAD ").isHead)
        for other in ["", "H", "HEAD", "HEADS / HTTP/1.1\r\n", "GET HEAD HTTP/1.1\r\n", " HEAD / ", "\r\n", "\n"] {
            #expect(!Self.audience(other).isHead)
        }
    }

    /// The page looks as the client wants it even where the parser stopped before, or the line before is broken.
    @Test func acceptCountsWhereverItStands() {
        for head in [
            "GET / HTTP/1.1\r\nAccept: application/json\r\nNo colon\r\n\r\n",
            "GET / HTTP/1.1\r\nNo colon\r\nAccept: application/json\r\n\r\n",
            "GET / HTTP/1.1\nAccept: application/json\nbroken", "\0\r\naccept:application/json\r\n",
        ] {
            #expect(Self.audience(head).prefersJSON)
        }
        for head in [
            // Behind the head, in the request line, in another field, or not complete.
            "GET / HTTP/1.1\r\n\r\nAccept: application/json\r\n", "Accept: application/json\r\n\r\n",
            "GET / HTTP/1.1\r\nAccept-Language: application/json\r\n\r\n",
            "GET / HTTP/1.1\r\nX: y\r\n Accept: application/json\r\n\r\n",
            "GET / HTTP/1.1\r\nAccept: application/json",
        ] {
            #expect(!Self.audience(head).prefersJSON)
        }
    }

    @Test func theScanIsBounded() {
        let field = "Accept: application/json\r\n"
        for size in [16_000, 17_000] {
            let head = "GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: size))\r\n\(field)\r\n"
            #expect(Self.audience(head).prefersJSON == (size == 16_000))
        }
    }

    @Test func anyBytesAreFine() {
        let head = bytes("HEAD / HTTP/1.1\r\nHost: a\r\nAccept: text/*;q=0.5, application/json;q=0.7;x, */*\r\n\r\n")
        for count in 0...head.count {
            let cut = Array(head.prefix(count))
            _ = ErrorAudience(head: cut.span.bytes)
        }
        for position in head.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = head
                changed[position] = byte
                _ = ErrorAudience(head: changed.span.bytes)
            }
        }
    }
}
