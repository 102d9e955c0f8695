import ProxyWire
import Testing

@Suite struct ProxyParserTests {
    enum Verdict: Equatable, Sendable {
        case progress(ProxyProgress)
        case fault(ProxyFault)
    }

    private func parse(_ bytes: some Sequence<UInt8>, _ mode: ProxyMode, mayAnnounce: Bool) -> Verdict {
        let bytes = Array(bytes)
        do throws(ProxyError) {
            return .progress(try ProxyParser.parse(bytes.span.bytes, mode: mode, mayAnnounce: mayAnnounce))
        } catch {
            return .fault(error.fault)
        }
    }

    /// The verdict on the whole, which every prefix has to lead to: undecided, and from some byte on the same.
    private func verdict(_ bytes: [UInt8], _ mode: ProxyMode = .auto, mayAnnounce: Bool = true) -> Verdict {
        let whole = parse(bytes, mode, mayAnnounce: mayAnnounce)
        var isDecided = false
        for count in 0..<bytes.count {
            let part = parse(bytes[..<count], mode, mayAnnounce: mayAnnounce)
            if part == whole {
                isDecided = whole != .progress(.more)
            } else if part != .progress(.more) || isDecided {
                Issue.record("\(count) bytes: \(part), all \(bytes.count): \(whole)")
                break
            }
        }
        for behind in ["G", "\r\n", "PROXY ", "\0"] {
            let longer = parse(bytes + Array(behind.utf8), mode, mayAnnounce: mayAnnounce)
            if whole != .progress(.more) { #expect(longer == whole) }
        }
        return whole
    }

    private func header(_ route: ProxyHeader.Route, _ count: Int) -> Verdict {
        .progress(.header(ProxyHeader(route: route, byteCount: count)))
    }

    private func end(_ address: String, _ port: UInt16) throws -> ProxyEndpoint {
        ProxyEndpoint(address: try #require(IPAddress(address)), port: port)
    }

    // MARK: Version 1

    @Test func linesOfTCP() throws {
        let line = Array("PROXY TCP4 192.0.2.1 198.51.100.255 0 65535\r\n".utf8)
        let four = ProxyHeader.Route.tcp4(
            source: try end("192.0.2.1", 0), destination: try end("198.51.100.255", 65535))
        for mode in [ProxyMode.auto, .v1] { #expect(verdict(line, mode) == header(four, line.count)) }

        let long = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        let longest = Array("PROXY TCP6 \(long) \(long) 65535 65535\r\n".utf8)
        let six = ProxyHeader.Route.tcp6(source: try end(long, 65535), destination: try end(long, 65535))
        #expect(longest.count == 104)
        #expect(verdict(longest) == header(six, 104))

        let mapped = Array("PROXY TCP6 ::ffff:1.2.3.4 2001:DB8::1 1 2\r\n".utf8)
        let route = ProxyHeader.Route.tcp6(source: try end("::ffff:1.2.3.4", 1), destination: try end("2001:db8::1", 2))
        #expect(verdict(mapped) == header(route, mapped.count))
    }

    @Test(arguments: [
        "", " ", " ::1 ::2 3 4", " ffff:f...f:ffff ffff:f...f:ffff 65535 65535", " \0\u{7F}\t", " \r \r",
        " " + String(repeating: "x", count: 107 - 16),
    ])
    func whateverFollowsUnknownIsIgnored(rest: String) {
        let line = Array("PROXY UNKNOWN\(rest)\r\n".utf8)
        // A CR must be followed by LF, as everywhere.
        let expected = rest.contains("\r") ? .fault(.invalidHeader) : header(.unknown, line.count)
        #expect(verdict(line) == expected)
    }

    @Test(arguments: [
        ("TCP4 1.2.3.4 5.6.7.8 1 65536", ProxyFault.invalidHeader), ("TCP4 1.2.3.4 5.6.7.8 1 -1", .invalidHeader),
        ("TCP4 1.2.3.4 5.6.7.8 1 +1", .invalidHeader), ("TCP4 1.2.3.4 5.6.7.8 01 1", .invalidHeader),
        ("TCP4 1.2.3.4 5.6.7.8 1 1_0", .invalidHeader), ("TCP4 1.2.3.4 5.6.7.8 1 000001", .invalidHeader),
        ("TCP4 1.2.3.4 5.6.7.8 1 99999999999999999999", .invalidHeader),
        ("TCP4 1.2.3.4 5.6.7.8 1 0x10", .invalidHeader),
        ("TCP4 1.2.3.4 5.6.7.8 1 ", .invalidHeader), ("TCP4 1.2.3.4 5.6.7.8 1", .invalidHeader),
        ("TCP4 1.2.3.4 5.6.7.8", .invalidHeader), ("TCP4 1.2.3.4", .invalidHeader), ("TCP4 ", .invalidHeader),
        ("TCP4", .invalidHeader), ("TCP4 1.2.3.4 5.6.7.8 1 2 ", .invalidHeader),
        ("TCP4 1.2.3.4 5.6.7.8 1 2 3", .invalidHeader),
        ("TCP4  1.2.3.4 5.6.7.8 1 2", .invalidHeader), ("TCP4 1.2.3.4 5.6.7.8  1 2", .invalidHeader),
        ("TCP4 1.2.3.4\t5.6.7.8 1 2", .invalidHeader), ("TCP4 1.2.3.4 5.6.7 1 2", .invalidHeader),
        ("TCP4 1.2.3.4 5.6.7.08 1 2", .invalidHeader), ("TCP4 1.2.3.256 5.6.7.8 1 2", .invalidHeader),
        ("TCP4 ::1 ::2 1 2", .invalidHeader), ("TCP6 1.2.3.4 5.6.7.8 1 2", .invalidHeader),
        ("TCP6 ::1 5.6.7.8 1 2", .invalidHeader), ("TCP6 ::1 ::g 1 2", .invalidHeader),
        ("TCP6 [::1] ::2 1 2", .invalidHeader),
        ("tcp4 1.2.3.4 5.6.7.8 1 2", .unsupportedHeader), ("UDP4 1.2.3.4 5.6.7.8 1 2", .unsupportedHeader),
        ("TCP5 1.2.3.4 5.6.7.8 1 2", .unsupportedHeader), ("UNKNOWNS", .unsupportedHeader),
        ("unknown", .unsupportedHeader),
        ("", .unsupportedHeader), (" TCP4 1.2.3.4 5.6.7.8 1 2", .unsupportedHeader), ("/ HTTP/1.1", .unsupportedHeader),
    ])
    func linesThatAreNone(line: String, fault: ProxyFault) {
        #expect(verdict(Array("PROXY \(line)\r\n".utf8)) == .fault(fault))
    }

    @Test(arguments: [
        "PROXY UNKNOWN\n", "PROXY UNKNOWN\rX", "PROXY \n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", "PROXY \r\r\n",
    ])
    func linesThatEndWrong(line: String) {
        #expect(verdict(Array(line.utf8)) == .fault(.invalidHeader))
    }

    @Test func aLineHas107BytesAtMost() {
        func line(_ count: Int) -> [UInt8] {
            Array("PROXY UNKNOWN ".utf8) + [UInt8](repeating: 0x78, count: count - 16) + Array("\r\n".utf8)
        }
        #expect(line(107).count == 107)
        #expect(verdict(line(107)) == header(.unknown, 107))
        #expect(verdict(line(108)) == .fault(.headerTooLarge))
        #expect(verdict(Array(line(1000)[..<105])) == .progress(.more))
        #expect(verdict(Array(line(1000)[..<106])) == .fault(.headerTooLarge))
    }

    // MARK: Version 2

    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    private func block(_ command: UInt8, _ kind: UInt8, _ payload: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? payload.count
        return Self.signature + [command, kind, UInt8(length >> 8), UInt8(length & 255)] + payload
    }

    private static let ports: [UInt8] = [0x13, 0x88, 0, 80]

    @Test func blocksOfTCP() throws {
        let four = block(0x21, 0x11, [192, 0, 2, 1, 198, 51, 100, 2] + Self.ports)
        let route4 = ProxyHeader.Route.tcp4(
            source: try end("192.0.2.1", 5000), destination: try end("198.51.100.2", 80))
        for mode in [ProxyMode.auto, .v2] { #expect(verdict(four, mode) == header(route4, 28)) }

        let addresses: [UInt8] = [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]
        let six = block(0x21, 0x21, addresses + [UInt8](repeating: 0xFF, count: 16) + Self.ports)
        let last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        let route6 = ProxyHeader.Route.tcp6(source: try end("2001:db8::1", 5000), destination: try end(last, 80))
        #expect(verdict(six) == header(route6, 52))
    }

    /// Every command with every kind of connection, all with room for any address.
    @Test func everyCommandAndKind() {
        let payload = [UInt8](repeating: 1, count: 216)
        for command in UInt8.min...UInt8.max {
            for kind in UInt8.min...UInt8.max {
                let expected: Verdict
                let one = ProxyEndpoint(address: .v4(0x0101_0101), port: 0x0101)
                let six = ProxyEndpoint(address: .v6(UInt128.max / 255), port: 0x0101)
                switch (command, kind) {
                case (0x20, _): expected = header(.local, 232)
                case (0x21, 0x00), (0x21, 0x01): expected = header(.unspecified, 232)
                case (0x21, 0x11): expected = header(.tcp4(source: one, destination: one), 232)
                case (0x21, 0x21): expected = header(.tcp6(source: six, destination: six), 232)
                case (0x21, 0x31): expected = header(.unix, 232)
                default: expected = .fault(.unsupportedHeader)
                }
                let found = parse(block(command, kind, payload), .v2, mayAnnounce: true)
                if found != expected { Issue.record("\(command) \(kind): \(found)") }
            }
        }
        #expect(verdict(block(0x21, 0x31, payload)) == header(.unix, 232))
        #expect(verdict(block(0x20, 0x11, [])) == header(.local, 16))
        #expect(verdict(block(0x21, 0x00, [])) == header(.unspecified, 16))
    }

    /// Shorter than the addresses, with extensions behind them, and longer than is taken.
    @Test(arguments: [(UInt8(0x11), 12), (0x21, 36), (0x31, 216), (0x00, 0)])
    func everyLength(kind: UInt8, addresses: Int) {
        for length in 0...(ProxyParser.longestBlock - 16 + 2) {
            let bytes = block(0x21, kind, [UInt8](repeating: 3, count: length))
            let found = parse(bytes, .v2, mayAnnounce: true)
            switch length {
            case ..<addresses: #expect(found == .fault(.invalidHeader))
            case ...(ProxyParser.longestBlock - 16):
                guard case .progress(.header(let header)) = found else {
                    Issue.record("\(length): \(found)")
                    break
                }
                #expect(header.byteCount == 16 + length)
                if length > 0 { #expect(parse(bytes.dropLast(), .v2, mayAnnounce: true) == .progress(.more)) }
            default: #expect(found == .fault(.headerTooLarge))
            }
        }
        // What is too long is known from the length alone.
        #expect(verdict(block(0x21, kind, [], length: 65535)) == .fault(.headerTooLarge))
        #expect(verdict(block(0x20, kind, [], length: ProxyParser.longestBlock - 15)) == .fault(.headerTooLarge))
    }

    // MARK: Which, whether and whose

    @Test(arguments: [
        "G", "GET / HTTP/1.1\r\n", "PRO ", "PROXX", "PROPFIND / HTTP/1.1\r\n", "proxy TCP4", "\n", "\rX", "\r\nGET",
        "\r\n\r\nG", "\r\n\r\n\0\r\nQUIX", "\0", "\u{16}\u{3}\u{1}", " PROXY UNKNOWN\r\n",
    ])
    func withoutAHeader(text: String) {
        let bytes = Array(text.utf8)
        for mayAnnounce in [true, false] {
            #expect(verdict(bytes, .auto, mayAnnounce: mayAnnounce) == .progress(.absent))
            #expect(verdict(bytes, .v1, mayAnnounce: mayAnnounce) == .fault(.missingHeader))
            #expect(verdict(bytes, .v2, mayAnnounce: mayAnnounce) == .fault(.missingHeader))
        }
    }

    @Test func undecided() {
        for mode in ProxyMode.allCases { #expect(verdict([], mode) == .progress(.more)) }
        #expect(verdict(Array("PROXY".utf8), .v1) == .progress(.more))
        #expect(verdict(Array("PROXY".utf8), .v2) == .fault(.missingHeader))
        #expect(verdict(Array("\r\n".utf8), .v2) == .progress(.more))
        #expect(verdict(Array("\r\n".utf8), .v1) == .fault(.missingHeader))
    }

    @Test func theOtherVersionIsAMissingHeader() {
        #expect(verdict(Array("PROXY UNKNOWN\r\n".utf8), .v2) == .fault(.missingHeader))
        #expect(verdict(block(0x20, 0, []), .v1) == .fault(.missingHeader))
    }

    /// Known from the start of a header, whatever the rest is.
    @Test(arguments: ["PROXY ", "PROXY UNKNOWN\r\n", "PROXY \n", "\r\n\r\n\0\r\nQUIT\n"])
    func strangersMayNotAnnounce(text: String) {
        #expect(verdict(Array(text.utf8), .auto, mayAnnounce: false) == .fault(.forbiddenPeer))
    }

    @Test func faultsHaveTheirStatus() {
        for fault in ProxyFault.allCases {
            #expect(ProxyError(fault).status == (fault == .forbiddenPeer ? 403 : 400))
            #expect(ProxyError(fault).id == fault.rawValue)
        }
    }

    @Test func namesAreGunicorns() {
        let one = ProxyEndpoint(address: .v4(1), port: 1)
        let routes: [ProxyHeader.Route] = [
            .tcp4(source: one, destination: one), .tcp6(source: one, destination: one), .unix, .unknown, .unspecified,
            .local,
        ]
        #expect(routes.map { "\($0.name)" } == ["TCP4", "TCP6", "UNIX", "UNKNOWN", "UNSPEC", "LOCAL"])
    }
}
