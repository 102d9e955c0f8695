/// What the first bytes of a connection came to.
public enum ProxyProgress: Equatable, Sendable {
    /// They do not decide yet. Call again, with all bytes, when more have arrived.
    case more
    /// They are no PROXY header, and none is demanded: the client's bytes start at the first one.
    case absent
    case header(ProxyHeader)
}

/// Reads the header of the PROXY protocol, version 1 or 2 (haproxy.org/download/3.0/doc/proxy-protocol.txt).
///
/// Each verdict depends only on bytes up to the one that decides it: however the bytes are cut into reads, the answer
/// is the same. No state is kept between calls; a header is small.
public enum ProxyParser {
    /// Bytes of a header of version 1 with its CRLF. Section 2.1: "107 chars" is the worst case.
    public static let longestLine = 107
    /// Bytes of a header of version 2 with its extensions. The protocol allows 65551; addresses take at most 232, and
    /// what extensions add, certificates included, is a few hundred. nginx has the same bound.
    public static let longestBlock = 4096

    private static var lineStart: StaticString { "PROXY " }
    private static var blockStart: StaticString { "\r\n\r\n\0\r\nQUIT\n" }

    /// Looks for a header in front.
    ///
    /// - Parameters:
    ///   - bytes: all that has arrived on the connection.
    ///   - mayAnnounce: the peer is one that may speak for others.
    /// - Throws: `ProxyError` as soon as the bytes seen leave no way to a connection that can be served.
    public static func parse(
        _ bytes: borrowing RawSpan, mode: ProxyMode, mayAnnounce: Bool
    ) throws(ProxyError) -> ProxyProgress {
        let line = mode == .v2 ? Match.none : match(bytes, lineStart)
        let block = mode == .v1 ? Match.none : match(bytes, blockStart)
        if line == .whole || block == .whole {
            guard mayAnnounce else { throw ProxyError(.forbiddenPeer) }
            return line == .whole ? try parseLine(bytes) : try parseBlock(bytes)
        }
        if line == .part || block == .part { return .more }
        guard mode == .auto else { throw ProxyError(.missingHeader) }
        return .absent
    }

    private enum Match { case none, part, whole }

    private static func match(_ bytes: borrowing RawSpan, _ text: StaticString) -> Match {
        for position in 0..<text.utf8CodeUnitCount {
            guard position < bytes.byteCount else { return .part }
            guard bytes[position] == text.utf8Start[position] else { return .none }
        }
        return .whole
    }

    // MARK: Version 1

    /// `PROXY TCP4 source destination source-port destination-port CRLF`, section 2.1.
    private static func parseLine(_ bytes: borrowing RawSpan) throws(ProxyError) -> ProxyProgress {
        var end = lineStart.utf8CodeUnitCount
        while true {
            guard end + 2 <= longestLine else { throw ProxyError(.headerTooLarge) }
            guard end < bytes.byteCount else { return .more }
            if bytes[end] == UInt8(ascii: "\r") { break }
            if bytes[end] == UInt8(ascii: "\n") { throw ProxyError(.invalidHeader) }
            end += 1
        }
        guard end + 1 < bytes.byteCount else { return .more }
        guard bytes[end + 1] == UInt8(ascii: "\n") else { throw ProxyError(.invalidHeader) }

        var words = Words(at: lineStart.utf8CodeUnitCount, end: end)
        let kind = bytes.extracting(words.next(bytes))
        // Whatever else the line of an unknown connection says is to be ignored.
        if kind.equals("UNKNOWN") { return .header(ProxyHeader(route: .unknown, byteCount: end + 2)) }
        let isIPv4 = kind.equals("TCP4")
        guard isIPv4 || kind.equals("TCP6") else { throw ProxyError(.unsupportedHeader) }
        guard let sourceAddress = IPAddress(bytes.extracting(words.next(bytes))),
            let destinationAddress = IPAddress(bytes.extracting(words.next(bytes))),
            let sourcePort = port(bytes.extracting(words.next(bytes))),
            let destinationPort = port(bytes.extracting(words.next(bytes))), words.isAtEnd
        else { throw ProxyError(.invalidHeader) }
        let source = ProxyEndpoint(address: sourceAddress, port: sourcePort)
        let destination = ProxyEndpoint(address: destinationAddress, port: destinationPort)
        switch (sourceAddress, destinationAddress, isIPv4) {
        case (.v4, .v4, true):
            return .header(ProxyHeader(route: .tcp4(source: source, destination: destination), byteCount: end + 2))
        case (.v6, .v6, false):
            return .header(ProxyHeader(route: .tcp6(source: source, destination: destination), byteCount: end + 2))
        default:
            throw ProxyError(.invalidHeader)
        }
    }

    /// The words of a line, each parted from the next by one space.
    private struct Words {
        private var at: Int
        private let end: Int

        init(at start: Int, end: Int) {
            at = start
            self.end = end
        }

        /// The last word was taken, and the line ended with it.
        var isAtEnd: Bool { at > end }

        /// The next word; an empty one where two spaces stand, and after the last.
        mutating func next(_ bytes: borrowing RawSpan) -> Range<Int> {
            let start = min(at, end)
            var stop = start
            while stop < end, bytes[stop] != UInt8(ascii: " ") { stop += 1 }
            at = stop + 1
            return start..<stop
        }
    }

    /// A decimal number below 65536, without leading zeros.
    private static func port(_ digits: borrowing RawSpan) -> UInt16? {
        guard 1...5 ~= digits.byteCount, digits.byteCount == 1 || digits[0] != UInt8(ascii: "0") else { return nil }
        var number: UInt32 = 0
        for position in 0..<digits.byteCount {
            guard let digit = digits[position].decimalDigit else { return nil }
            number = number * 10 + UInt32(digit)
        }
        return UInt16(exactly: number)
    }

    // MARK: Version 2

    /// Section 2.2. Extensions (TLV) behind the addresses are skipped.
    private static func parseBlock(_ bytes: borrowing RawSpan) throws(ProxyError) -> ProxyProgress {
        guard bytes.byteCount > 12 else { return .more }
        // The version in the high half, the command in the low one: 0 is LOCAL, 1 is PROXY.
        guard bytes[12] == 0x20 || bytes[12] == 0x21 else { throw ProxyError(.unsupportedHeader) }
        let isLocal = bytes[12] == 0x20
        guard bytes.byteCount > 13 else { return .more }
        let kind = bytes[13]
        let addressCount: Int
        switch kind {
        case _ where isLocal: addressCount = 0
        // Unspecified; gunicorn takes 0x01 for it, though the protocol has 0x00 only.
        case 0x00, 0x01: addressCount = 0
        case 0x11: addressCount = 12
        case 0x21: addressCount = 36
        case 0x31: addressCount = 216
        // Datagrams carry no HTTP/1.
        default: throw ProxyError(.unsupportedHeader)
        }
        guard bytes.byteCount > 15 else { return .more }
        let size = 16 + Int(UInt16(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 14, as: UInt16.self)))
        guard size <= longestBlock else { throw ProxyError(.headerTooLarge) }
        guard size >= 16 + addressCount else { throw ProxyError(.invalidHeader) }
        guard bytes.byteCount >= size else { return .more }

        let route: ProxyHeader.Route
        switch addressCount {
        case 12:
            route = .tcp4(
                source: ProxyEndpoint(address: .v4(number(bytes, 16)), port: number(bytes, 24)),
                destination: ProxyEndpoint(address: .v4(number(bytes, 20)), port: number(bytes, 26)))
        case 36:
            route = .tcp6(
                source: ProxyEndpoint(address: .v6(number(bytes, 16)), port: number(bytes, 48)),
                destination: ProxyEndpoint(address: .v6(number(bytes, 32)), port: number(bytes, 50)))
        case 216: route = .unix
        default: route = isLocal ? .local : .unspecified
        }
        return .header(ProxyHeader(route: route, byteCount: size))
    }

    /// A number in network order.
    private static func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: borrowing RawSpan, _ offset: Int
    ) -> Number {
        Number(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}

extension RawSpan {
    fileprivate func equals(_ text: StaticString) -> Bool {
        guard byteCount == text.utf8CodeUnitCount else { return false }
        for position in 0..<byteCount where self[position] != text.utf8Start[position] { return false }
        return true
    }
}
