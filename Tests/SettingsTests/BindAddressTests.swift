import Settings
import Testing

@Suite struct BindAddressTests {
    @Test(arguments: [
        ("127.0.0.1:8000", BindAddress.tcp(host: "127.0.0.1", port: 8000)),
        ("127.0.0.1", .tcp(host: "127.0.0.1", port: 8000)),
        (":9000", .tcp(host: "0.0.0.0", port: 9000)),
        ("", .tcp(host: "0.0.0.0", port: 8000)),
        ("LocalHost:80", .tcp(host: "localhost", port: 80)),
        ("0.0.0.0:0", .tcp(host: "0.0.0.0", port: 0)),
        ("host:65535", .tcp(host: "host", port: 65535)),
        ("tcp://127.0.0.1:8001", .tcp(host: "127.0.0.1", port: 8001)),
        ("tcp://", .tcp(host: "0.0.0.0", port: 8000)),
        ("[::1]", .tcp(host: "::1", port: 8000)),
        ("[::1]:8002", .tcp(host: "::1", port: 8002)),
        ("tcp://[FE80::1%eth0]:8002", .tcp(host: "fe80::1%eth0", port: 8002)),
        ("[::ffff:127.0.0.1]:1", .tcp(host: "::ffff:127.0.0.1", port: 1)),
        ("unix:/run/app.sock", .unix(path: "/run/app.sock")),
        ("unix:///run/app.sock", .unix(path: "/run/app.sock")),
        ("unix://app.sock", .unix(path: "app.sock")),
        ("unix:App.Sock", .unix(path: "App.Sock")),
        ("unix:\0abstract", .unix(path: "\0abstract")),
        ("unix:@abstract", .unix(path: "\0abstract")),
        ("unix://@a/b", .unix(path: "\0a/b")),
        ("unix:./@file", .unix(path: "./@file")),
        ("fd://0", .descriptor(0)),
        ("fd://13", .descriptor(13)),
    ])
    func readsEveryForm(text: String, expected: BindAddress) throws {
        #expect(try BindAddress(parsing: text) == expected)
    }

    @Test(arguments: [
        ("127.0.0.1:", "port"),
        ("127.0.0.1:abc", "port"),
        ("127.0.0.1:65536", "port"),
        ("127.0.0.1:-1", "port"),
        ("127.0.0.1:+80", "port"),
        ("127.0.0.1:8_000", "port"),
        ("127.0.0.1:99999999999999999999", "port"),
        ("127.0.0.1: 80", "port"),
        ("::1", "brackets"),
        ("::1:8000", "brackets"),
        ("127.0.0.1:80:81", "brackets"),
        ("[::1", "not closed"),
        ("[::1]8000", "colon"),
        ("[::1]:", "port"),
        ("[127.0.0.1]:80", "IPv6"),
        ("[]:80", "IPv6"),
        ("[::1 ]:80", "IPv6"),
        ("http://127.0.0.1:80", "tcp://"),
        ("tcp://tcp://127.0.0.1", "tcp://"),
        ("/run/app.sock", "unix:"),
        ("two words:80", "host"),
        ("a\r\nb:80", "host"),
        ("a]:80", "host"),
        ("unix:", "path"),
        ("unix://", "path"),
        ("unix:/run/a\0b", "NUL"),
        ("unix:@", "abstract"),
        ("unix:\0", "abstract"),
        ("unix:@a\0b", "NUL"),
        ("fd://", "descriptor"),
        ("fd://x", "descriptor"),
        ("fd://-1", "descriptor"),
        ("fd://2147483648", "descriptor"),
    ])
    func refusesWithARemedy(text: String, mention: String) {
        let error = #expect(throws: BindAddress.ParseError.self) { try BindAddress(parsing: text) }
        #expect(error?.remedy.contains(mention) == true, "\(error?.remedy ?? "accepted")")
    }

    @Test func boundsTheLengthOfAPath() throws {
        let longest = String(repeating: "x", count: 107)
        #expect(try BindAddress(parsing: "unix:\(longest)") == .unix(path: longest))
        #expect(throws: BindAddress.ParseError.self) { try BindAddress(parsing: "unix:\(longest)x") }
        // Bytes count, not characters.
        #expect(throws: BindAddress.ParseError.self) {
            try BindAddress(parsing: "unix:" + String(repeating: "é", count: 54))
        }
    }

    @Test(arguments: ["127.0.0.1:8000", "[::1]:8000", "unix:/run/app.sock", "unix:@app", "fd://3"])
    func describesItselfAsItIsWritten(text: String) throws {
        #expect(try BindAddress(parsing: text).description == text)
    }
}
