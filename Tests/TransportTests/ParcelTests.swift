import Platform
import ProxyWire
import Testing

@testable import Transport

@Suite struct ParcelTests {
    private static let v4 = ProxyEndpoint(address: .v4(0xCB00_7109), port: 5000)
    private static let v6 = ProxyEndpoint(address: .v6(0x2001_0db8_0000_0000_0000_0000_0000_0001), port: 443)

    /// A parcel and what it carries.
    struct Case: Sendable {
        var parcel: Parcel
        var received = ""
        var body = ""
        var rest = ""

        func encoded() throws -> [UInt8] {
            var message = [UInt8](repeating: 0xAA, count: Parcel.sizeLimit)
            let (received, body, rest) = (Array(received.utf8), Array(body.utf8), Array(rest.utf8))
            let count = try message.withUnsafeMutableBytes { buffer in
                try received.withUnsafeBytes { received in
                    try body.withUnsafeBytes { body in
                        try rest.withUnsafeBytes { rest in
                            try parcel.encode(ParcelBytes(received: received, body: body, rest: rest), into: buffer)
                        }
                    }
                }
            }
            return Array(message.prefix(count))
        }
    }

    private static func decode(_ message: [UInt8], descriptors: Int = 1) throws -> Case {
        try message.withUnsafeBytes { message in
            let (parcel, bytes) = try Parcel.decode(message, descriptors: descriptors)
            return Case(
                parcel: parcel, received: String(decoding: bytes.received, as: UTF8.self),
                body: String(decoding: bytes.body, as: UTF8.self), rest: String(decoding: bytes.rest, as: UTF8.self))
        }
    }

    // Made anew each time: what a global has in an enum whose pointers have tags, the leak sanitizer does not find.
    static var cases: [Case] {
        var cases: [Case] = []
        func add(
            _ received: String = "", body: String = "", rest: String = "",
            peer: SocketAddress = .ipv4(address: 0x7F00_0001, port: 40_000), _ change: (inout Parcel) -> Void
        ) {
            var parcel = Parcel(peer: peer)
            change(&parcel)
            cases.append(Case(parcel: parcel, received: received, body: body, rest: rest))
        }
        add {
            $0.deadline = 75_000_000_000
            $0.requestCount = 12
            $0.trust = [.forwarding, .announcing]
        }
        add("PROXY TCP4 1", peer: .ipv6(address: .max - 5, port: 65_535)) {
            $0.phase = .preamble
            $0.listener = .max
        }
        add("GET / HTTP/1.1\r\nHo", peer: .unix(path: "")) {
            $0.phase = .head
            $0.began = .max
            $0.route = .unix
        }
        add("POST", body: "0123456789") {
            $0.phase = .body
            $0.body = .memory
            $0.remaining = 90
            $0.recent = 10
            $0.flags = .sentContinue
            $0.route = .tcp4(source: v4, destination: v4)
        }
        add("POST chunked\r\n\r\n5\r\nhel") {
            $0.phase = .body
            $0.flags = [.peerClosed, .mayBeReadable]
        }
        add("POST", peer: .unix(path: "/run/client.sock")) {
            $0.phase = .body
            $0.body = .file(count: 1 << 40)
            $0.remaining = 1
            $0.hops = 65_535
            $0.route = .tcp6(source: v6, destination: v6)
        }
        add("GET / HTTP/1.1\r\n\r\nGET /2") {
            $0.phase = .held
            $0.flags = .servedHere
            $0.route = .local
        }
        add("POST", body: "whole", rest: "GET /next") {
            $0.phase = .held
            $0.body = .memory
            $0.route = .unknown
        }
        add("POST", rest: "GET /next") {
            $0.phase = .held
            $0.body = .file(count: 0)
            $0.route = .unspecified
        }
        return cases
    }

    @Test(arguments: cases.indices) func arrivesAsItWasSent(_ index: Int) throws {
        let sent = Self.cases[index]
        let came = try Self.decode(try sent.encoded(), descriptors: sent.parcel.descriptorCount)
        #expect(came.parcel == sent.parcel)
        #expect(came.received == sent.received && came.body == sent.body && came.rest == sent.rest)
    }

    @Test(arguments: cases.indices) func everyTruncationIsRefused(_ index: Int) throws {
        let message = try Self.cases[index].encoded()
        for length in 0..<message.count {
            #expect(throws: ParcelError.truncated, "\(length) bytes") {
                try Self.decode(Array(message.prefix(length)), descriptors: Self.cases[index].parcel.descriptorCount)
            }
        }
        #expect(throws: ParcelError.trailingBytes) {
            try Self.decode(message + [0], descriptors: Self.cases[index].parcel.descriptorCount)
        }
    }

    /// Random bytes, and parcels with random changes, are refused or mean something that can be sent again.
    @Test func randomBytesNeverTrap() throws {
        var random = SplitMix(state: 20_261_125)
        var refused = 0
        for round in 0..<20_000 {
            var message: [UInt8]
            if round % 4 == 0 {
                message = (0..<Int.random(in: 0..<200, using: &random)).map { _ in .random(in: 0...255, using: &random)
                }
            } else {
                message = try Self.cases[round % Self.cases.count].encoded()
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    message[Int.random(in: 0..<message.count, using: &random)] = .random(in: 0...255, using: &random)
                }
            }
            do {
                let came = try Self.decode(message, descriptors: 1 + round % 2)
                #expect(try came.parcel == Self.decode(came.encoded(), descriptors: 1 + round % 2).parcel)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 5000 && refused < 20_000)
    }

    struct SplitMix: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    @Test func carriesSoManyBytesAndNoMore() throws {
        var sent = Case(parcel: Parcel(peer: .unix(path: String(repeating: "p", count: 108))))
        sent.parcel.phase = .head
        sent.parcel.route = .tcp6(source: Self.v6, destination: Self.v6)
        sent.received = String(repeating: "x", count: Parcel.byteLimit)
        let message = try sent.encoded()
        #expect(message.count == Parcel.sizeLimit)
        #expect(try Self.decode(message).received == sent.received)
        sent.received += "x"
        #expect(throws: ParcelError.tooLarge) { try sent.encoded() }
        sent = Case(parcel: sent.parcel, received: String(repeating: "x", count: 40_000))
        sent.parcel.phase = .held
        sent.parcel.body = .memory
        sent.body = sent.received
        #expect(throws: ParcelError.tooLarge) { try sent.encoded() }
    }

    @Test func aBufferTooSmallIsToldSo() throws {
        let parcel = Parcel(peer: .ipv4(address: 1, port: 2))
        for size in 0..<82 {
            #expect(throws: ParcelError.tooLarge) {
                try withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) {
                    _ = try parcel.encode(ParcelBytes(), into: $0)
                }
            }
        }
    }

    @Test func numbersWithoutRoomStayAtHome() {
        func fault(_ change: (inout Parcel) -> Void) -> ParcelError? {
            var parcel = Parcel(peer: .ipv4(address: 1, port: 2))
            change(&parcel)
            return #expect(throws: ParcelError.self) { try Case(parcel: parcel).encoded() }
        }
        #expect(fault { $0.hops = 65_536 } == .outOfRange)
        #expect(fault { $0.requestCount = -1 } == .outOfRange)
        #expect(fault { $0.recent = -1 } == .outOfRange)
        #expect(fault { $0.peer = .unix(path: String(repeating: "p", count: 109)) } == .outOfRange)
        #expect(
            fault {
                $0.phase = .held
                $0.body = .file(count: -1)
            } == .outOfRange)
        #expect(
            fault {
                $0.phase = .body
                $0.body = .memory
                $0.remaining = -1
            } == .outOfRange)
    }

    @Test func whatDoesNotGoTogetherIsRefused() {
        func fault(body: String = "", rest: String = "", _ change: (inout Parcel) -> Void) -> ParcelError? {
            var parcel = Parcel(peer: .ipv4(address: 1, port: 2))
            change(&parcel)
            return #expect(throws: ParcelError.self) {
                try Case(parcel: parcel, received: "x", body: body, rest: rest).encoded()
            }
        }
        #expect(fault { $0.body = .memory } == .inconsistent)
        #expect(fault(body: "x") { _ in } == .inconsistent)
        #expect(fault(rest: "x") { $0.phase = .head } == .inconsistent)
        #expect(fault { $0.remaining = 5 } == .inconsistent)
        #expect(
            fault {
                $0.phase = .body
                $0.remaining = 5
            } == .inconsistent)
        #expect(
            fault {
                $0.phase = .body
                $0.body = .memory
            } == .inconsistent)
        #expect(
            fault {
                $0.phase = .body
                $0.body = .memory
                $0.remaining = 0
            } == .inconsistent)
        #expect(
            fault(body: "x") {
                $0.phase = .body
                $0.body = .file(count: 1)
                $0.remaining = 5
            } == .inconsistent)
        #expect(fault(rest: "x") { $0.phase = .held } == .inconsistent)
        #expect(
            fault {
                $0.phase = .held
                $0.body = .memory
                $0.remaining = 5
            } == .inconsistent)
    }

    @Test func strangersAreTold() throws {
        var message = try Self.cases[0].encoded()
        #expect(throws: ParcelError.descriptorCount(expected: 1, came: 0)) { try Self.decode(message, descriptors: 0) }
        #expect(throws: ParcelError.descriptorCount(expected: 1, came: 2)) { try Self.decode(message, descriptors: 2) }
        // A flag, a phase, a kind of body, of peer and of route that this version does not know.
        for (offset, value) in [(9, 0x80), (7, 0x80), (5, 9), (6, 3), (12, 5), (13, 7), (62, 1)] as [(Int, UInt8)] {
            var changed = message
            changed[offset] = value
            #expect(throws: ParcelError.malformed, "offset \(offset)") { try Self.decode(changed) }
        }
        message[4] = 1
        #expect(throws: ParcelError.otherVersion(1)) { try Self.decode(message) }
        message[0] = 0
        #expect(throws: ParcelError.notAParcel) { try Self.decode(message) }
    }
}
