import HTTPWire
import Testing

@Suite struct EarlyHintsWriterTests {
    static func write(_ fields: [(String, String)]) throws(ResponseFault) -> String {
        var writer = EarlyHintsWriter()
        for (name, value) in fields {
            try writer.append(name: bytes(name).span.bytes, value: bytes(value).span.bytes)
        }
        writer.finish()
        return latin1(writer.bytes)
    }

    @Test func writesStatusAndFields() throws {
        #expect(
            try Self.write([("Link", " </style.css>; rel=preload\t"), ("link", "</caf\u{e9}.js>"), ("X", "")]) == """
                HTTP/1.1 103 Early Hints\r
                Link: </style.css>; rel=preload\r
                link: </caf\u{e9}.js>\r
                X: \r
                \r

                """)
        #expect(try Self.write([]) == "HTTP/1.1 103 Early Hints\r\n\r\n")
    }

    @Test(arguments: [
        "Connection", "keep-alive", "TE", "Trailers", "transfer-encoding", "Upgrade", "Server", "Date",
        "Content-Length", "Trailer", "Proxy-Connection",
    ])
    func fieldsOfTheServerAreDropped(_ name: String) throws {
        #expect(try Self.write([(name, "5"), ("A", "b")]) == Self.write([("A", "b")]))
    }

    @Test func whatCannotBeSentIsRefused() {
        for name in ["", "X Y", "X:", "X\r\nY", "caf\u{e9}"] {
            #expect(throws: ResponseFault.invalidFieldName) { try Self.write([(name, "v")]) }
        }
        for value in ["a\r\nX: y", "a\n", "\0", "a\u{7f}"] {
            #expect(throws: ResponseFault.invalidFieldValue) { try Self.write([("X", value)]) }
        }
        let half = String(repeating: "v", count: ResponseHeadWriter.headSizeLimit / 2)
        #expect(throws: ResponseFault.headTooLarge) { try Self.write([("A", half), ("B", half)]) }
    }
}
