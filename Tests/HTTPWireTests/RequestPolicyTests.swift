import HTTPWire
import Testing

@Suite struct RequestPolicyTests {
    @Test func defaults() {
        let policy = RequestPolicy()
        #expect(policy.effectiveRequestLine == 4094)
        #expect(policy.effectiveRequestFields == 100)
        #expect(policy.effectiveRequestFieldSize == 8190)
        #expect(policy.limitRequestBody == 0)
        #expect(policy.headerMap == .drop)
        #expect(!policy.permitMissingHost)
    }

    @Test(arguments: [(4094, 4094), (1, 1), (8190, 8190), (8191, 8191), (-1, 8190), (0, 1 << 20), (Int.max, 1 << 20)])
    func requestLine(_ setting: Int, _ effective: Int) {
        #expect(policy { $0.limitRequestLine = setting }.effectiveRequestLine == effective)
    }

    @Test(arguments: [(100, 100), (0, 32768), (-5, 32768), (32768, 32768), (32769, 32768)])
    func fields(_ setting: Int, _ effective: Int) {
        #expect(policy { $0.limitRequestFields = setting }.effectiveRequestFields == effective)
    }

    @Test(arguments: [(8190, 8190), (0, 8190), (-1, 8190), (10, 10), (1 << 20, 1 << 20), (Int.max, 1 << 20)])
    func fieldSize(_ setting: Int, _ effective: Int) {
        #expect(policy { $0.limitRequestFieldSize = setting }.effectiveRequestFieldSize == effective)
    }

    @Test func noSettingUnboundsTheHead() {
        for fields in [0, 100, 32768] {
            for size in [0, 8190, Int.max] {
                let policy = policy {
                    $0.limitRequestFields = fields
                    $0.limitRequestFieldSize = size
                    $0.limitRequestLine = 0
                }
                #expect(policy.headSizeLimit <= 2 << 20 + 6)
                #expect(policy.headSizeLimit <= Int(UInt32.max))
            }
        }
    }

    @Test func headTooLarge() {
        let policy = policy { $0.limitRequestFieldSize = 1 << 20 }
        let start = "GET / HTTP/1.1\r\nHost: h\r\n"
        let field = "X: \(String(repeating: "x", count: 100_000))\r\n"
        #expect(parse(start + field, policy) == .more)
        let long = start + String(repeating: field, count: policy.headSizeLimit / field.utf8.count + 1)
        #expect(parse(long, policy) == .fault(.headTooLarge))
        // A body that is already there is not a part of the head.
        #expect(parse("GET / HTTP/1.1\r\nHost: h\r\n\r\n" + long, policy).head?.byteCount == 27)
    }

    @Test func everySecureSchemeHeaderOfATrustedPeer() {
        for (name, value) in [
            ("X-Forwarded-Protocol", "ssl"), ("X-Forwarded-Proto", "https"), ("X-FORWARDED-SSL", "on"),
        ] {
            let request = "GET / HTTP/1.1\r\nHost: h\r\n\(name): \(value)\r\n\r\n"
            #expect(parse(request, trusted: true).head?.schemeOverride == .https)
            #expect(parse(request, trusted: false).head?.schemeOverride == SchemeOverride.none)
            let deaf = policy { $0.secureSchemeHeaders = [] }
            #expect(parse(request, deaf, trusted: true).head?.schemeOverride == SchemeOverride.none)
        }
        let own = policy { $0.secureSchemeHeaders = [.init(name: "Front-End", secureValue: "tls")] }
        #expect(parse("GET / HTTP/1.0\r\nfront-end: tls\r\n\r\n", own, trusted: true).head?.schemeOverride == .https)
    }
}
