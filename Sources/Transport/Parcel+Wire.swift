internal import Platform
internal import ProxyWire

/// The encoding, little-endian:
///
/// | offset | bytes | field |
/// |---:|---:|---|
/// | 0 | 4 | "MPCL" |
/// | 4 | 1 | version |
/// | 5 | 1 | phase |
/// | 6 | 1 | body: 0 unparsed, 1 memory, 2 file |
/// | 7 | 1 | trust |
/// | 8 | 2 | flags |
/// | 10 | 2 | hops |
/// | 12 | 1 | peer: 4 IPv4, 6 IPv6, 1 Unix |
/// | 13 | 1 | route: 0 none, 1 tcp4, 2 tcp6, 3 unix, 4 unknown, 5 unspecified, 6 local |
/// | 14 | 8 | listener |
/// | 22 | 8 | requests begun |
/// | 30 | 8 | deadline |
/// | 38 | 8 | began |
/// | 46 | 8 | recent bytes of the body |
/// | 54 | 8 | bytes of the body to come; all ones for none |
/// | 62 | 8 | bytes of the body's file |
/// | 70 | 12 | bytes of `received`, `body`, `rest`, 4 each |
/// | 82 | … | peer: address (4 or 16) and port (2), or length (1) and path |
/// | … | … | route: source, then destination, as a peer |
/// | … | … | `received`, `body`, `rest` |
extension Parcel {
    static let magic: UInt32 = 0x4C43_504D
    static let version: UInt8 = 2
    /// The most bytes of a connection that travel in a parcel.
    public static let byteLimit = 65_536
    private static let headerSize = 82
    /// A Unix address has no longer path (unix(7)).
    private static let pathLimit = 108
    /// The largest parcel: header, peer, route, bytes.
    public static let sizeLimit = headerSize + 1 + pathLimit + 2 * 18 + byteLimit

    /// Writes the parcel.
    ///
    /// - Parameter buffer: `sizeLimit` bytes are always enough.
    /// - Returns: its bytes.
    /// - Throws: `ParcelError`, when this connection cannot travel.
    public func encode(
        _ bytes: ParcelBytes, into buffer: UnsafeMutableRawBufferPointer
    ) throws(ParcelError) -> Int {
        guard bytes.received.count <= Self.byteLimit, bytes.body.count <= Self.byteLimit,
            bytes.rest.count <= Self.byteLimit, bytes.count <= Self.byteLimit
        else { throw .tooLarge }
        guard requestCount >= 0, recent >= 0, remaining ?? 0 >= 0, (0...0xFFFF).contains(hops) else {
            throw .outOfRange
        }
        try checkConsistency(body: bytes.body.count, rest: bytes.rest.count)

        var out = ParcelWriter(buffer)
        try out.put(Self.magic)
        try out.put(Self.version)
        try out.put(phase.rawValue)
        let fileCount: Int
        switch body {
        case .unparsed: (fileCount, _) = (0, try out.put(UInt8(0)))
        case .memory: (fileCount, _) = (0, try out.put(UInt8(1)))
        case .file(let count): (fileCount, _) = (count, try out.put(UInt8(2)))
        }
        guard fileCount >= 0 else { throw .outOfRange }
        try out.put(trust.rawValue)
        try out.put(flags.rawValue)
        try out.put(UInt16(hops))
        try out.put(peer.kind)
        try out.put(RouteKind(route).rawValue)
        try out.put(listener)
        try out.put(UInt64(requestCount))
        try out.put(deadline)
        try out.put(began)
        try out.put(UInt64(recent))
        try out.put(remaining.map { UInt64($0) } ?? .max)
        try out.put(UInt64(fileCount))
        try out.put(UInt32(bytes.received.count))
        try out.put(UInt32(bytes.body.count))
        try out.put(UInt32(bytes.rest.count))
        try out.put(peer)
        switch route {
        case .tcp4(let source, let destination), .tcp6(let source, let destination):
            try out.put(SocketAddress(source))
            try out.put(SocketAddress(destination))
        default: break
        }
        try out.put(bytes.received)
        try out.put(bytes.body)
        try out.put(bytes.rest)
        return out.count
    }

    /// Reads a parcel.
    ///
    /// - Parameters:
    ///   - message: the whole message; the bytes in the result are parts of it.
    ///   - descriptors: how many came with it.
    /// - Throws: `ParcelError`. The descriptors are still the caller's then, to close.
    public static func decode(
        _ message: UnsafeRawBufferPointer, descriptors: Int
    ) throws(ParcelError) -> (parcel: Parcel, bytes: ParcelBytes) {
        var input = ParcelReader(message)
        guard try input.take(UInt32.self) == magic else { throw .notAParcel }
        let version = try input.take(UInt8.self)
        guard version == Self.version else { throw .otherVersion(version) }
        guard let phase = Phase(rawValue: try input.take(UInt8.self)) else { throw .malformed }
        let bodyKind = try input.take(UInt8.self)
        let trust = PeerTrust(rawValue: try input.take(UInt8.self))
        let flags = Flags(rawValue: try input.take(UInt16.self))
        guard flags.isSubset(of: .all), trust.isSubset(of: [.forwarding, .announcing]) else { throw .malformed }
        let hops = try input.take(UInt16.self)
        let peerKind = try input.take(UInt8.self)
        guard let routeKind = RouteKind(rawValue: try input.take(UInt8.self)) else { throw .malformed }
        let listener = try input.take(UInt64.self)
        let requestCount = try input.takeCount()
        let deadline = try input.take(UInt64.self)
        let began = try input.take(UInt64.self)
        let recent = try input.takeCount()
        let remaining = try input.take(UInt64.self)
        let fileCount = try input.takeCount()
        let receivedCount = Int(try input.take(UInt32.self))
        let bodyCount = Int(try input.take(UInt32.self))
        let restCount = Int(try input.take(UInt32.self))
        guard receivedCount + bodyCount + restCount <= byteLimit else { throw .tooLarge }

        var parcel = Parcel(peer: try input.takeAddress(kind: peerKind))
        parcel.phase = phase
        parcel.route = try input.takeRoute(routeKind)
        parcel.trust = trust
        parcel.listener = listener
        parcel.requestCount = requestCount
        parcel.hops = Int(hops)
        parcel.flags = flags
        parcel.deadline = deadline
        parcel.began = began
        parcel.recent = recent
        if remaining != .max {
            guard let remaining = Int(exactly: remaining) else { throw .malformed }
            parcel.remaining = remaining
        }
        switch bodyKind {
        case 0: parcel.body = .unparsed
        case 1: parcel.body = .memory
        case 2: parcel.body = .file(count: fileCount)
        default: throw .malformed
        }
        guard fileCount == 0 || bodyKind == 2 else { throw .malformed }
        let bytes = ParcelBytes(
            received: try input.takeBytes(receivedCount), body: try input.takeBytes(bodyCount),
            rest: try input.takeBytes(restCount))
        guard input.isAtEnd else { throw .trailingBytes }
        try parcel.checkConsistency(body: bodyCount, rest: restCount)
        guard descriptors == parcel.descriptorCount else {
            throw .descriptorCount(expected: parcel.descriptorCount, came: descriptors)
        }
        return (parcel, bytes)
    }

    /// A body apart belongs to a request whose head has come; what is still to come of it, to one that is not complete;
    /// and what comes behind it, to one that is.
    private func checkConsistency(body count: Int, rest: Int) throws(ParcelError) {
        let isApart = body != .unparsed
        let isRight =
            switch phase {
            case .preamble, .idle, .head: !isApart && count == 0 && rest == 0 && remaining == nil
            case .body: (count == 0 || body == .memory) && rest == 0 && isApart == (remaining != nil) && remaining != 0
            case .held: (count == 0 || body == .memory) && (rest == 0 || isApart) && remaining == nil
            }
        guard isRight else { throw .inconsistent }
    }
}

/// The number of a route's case.
enum RouteKind: UInt8 {
    case absent, tcp4, tcp6, unix, unknown, unspecified, local

    init(_ route: ProxyHeader.Route?) {
        self =
            switch route {
            case nil: .absent
            case .tcp4: .tcp4
            case .tcp6: .tcp6
            case .unix: .unix
            case .unknown: .unknown
            case .unspecified: .unspecified
            case .local: .local
            }
    }
}

extension SocketAddress {
    /// The number of an address's case.
    fileprivate var kind: UInt8 {
        switch self {
        case .ipv4: 4
        case .ipv6: 6
        case .unix: 1
        }
    }
}

/// Writes fields one after the other.
private struct ParcelWriter {
    private let buffer: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ buffer: UnsafeMutableRawBufferPointer) { self.buffer = buffer }

    mutating func put<Number: FixedWidthInteger>(_ number: Number) throws(ParcelError) {
        guard buffer.count - count >= Number.bitWidth / 8 else { throw .tooLarge }
        buffer.storeBytes(of: number.littleEndian, toByteOffset: count, as: Number.self)
        count += Number.bitWidth / 8
    }

    mutating func put(_ bytes: UnsafeRawBufferPointer) throws(ParcelError) {
        guard buffer.count - count >= bytes.count else { throw .tooLarge }
        UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    mutating func put(_ address: SocketAddress) throws(ParcelError) {
        switch address {
        case .ipv4(let address, let port):
            try put(address)
            try put(port)
        case .ipv6(let address, let port):
            try put(UInt64(truncatingIfNeeded: address >> 64))
            try put(UInt64(truncatingIfNeeded: address))
            try put(port)
        case .unix(let path):
            guard path.utf8.count <= 108 else { throw .outOfRange }
            try put(UInt8(path.utf8.count))
            for byte in path.utf8 { try put(byte) }
        }
    }
}

/// Takes fields off, one after the other.
private struct ParcelReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func take<Number: FixedWidthInteger>(_: Number.Type) throws(ParcelError) -> Number {
        guard bytes.count - offset >= Number.bitWidth / 8 else { throw .truncated }
        defer { offset += Number.bitWidth / 8 }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    mutating func takeCount() throws(ParcelError) -> Int {
        guard let count = Int(exactly: try take(UInt64.self)) else { throw .malformed }
        return count
    }

    mutating func takeBytes(_ count: Int) throws(ParcelError) -> UnsafeRawBufferPointer {
        guard bytes.count - offset >= count else { throw .truncated }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    mutating func takeAddress(kind: UInt8) throws(ParcelError) -> SocketAddress {
        switch kind {
        case 4: return .ipv4(address: try take(UInt32.self), port: try take(UInt16.self))
        case 6:
            let (high, low) = (try take(UInt64.self), try take(UInt64.self))
            return .ipv6(address: UInt128(high) << 64 | UInt128(low), port: try take(UInt16.self))
        case 1:
            let path = try takeBytes(Int(try take(UInt8.self)))
            guard path.count <= 108, let text = String(validating: path, as: UTF8.self) else { throw .malformed }
            return .unix(path: text)
        default: throw .malformed
        }
    }

    mutating func takeRoute(_ kind: RouteKind) throws(ParcelError) -> ProxyHeader.Route? {
        switch kind {
        case .absent: return nil
        case .tcp4:
            return .tcp4(source: try takeEndpoint(kind: 4), destination: try takeEndpoint(kind: 4))
        case .tcp6:
            return .tcp6(source: try takeEndpoint(kind: 6), destination: try takeEndpoint(kind: 6))
        case .unix: return .unix
        case .unknown: return .unknown
        case .unspecified: return .unspecified
        case .local: return .local
        }
    }

    private mutating func takeEndpoint(kind: UInt8) throws(ParcelError) -> ProxyEndpoint {
        switch try takeAddress(kind: kind) {
        case .ipv4(let address, let port): return ProxyEndpoint(address: .v4(address), port: port)
        case .ipv6(let address, let port): return ProxyEndpoint(address: .v6(address), port: port)
        case .unix: throw .malformed
        }
    }
}
