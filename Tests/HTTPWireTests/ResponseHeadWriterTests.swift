import HTTPWire
import Testing

@Suite struct ResponseHeadWriterTests {
    /// 1994-11-06 08:49:37 UTC, the example of RFC 9110 §5.6.7.
    static let date = HTTPDate(unixSeconds: 784_111_777)

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
}
