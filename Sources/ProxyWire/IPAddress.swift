/// An IPv4 or IPv6 address as a number; the first byte of the address is the most significant.
public enum IPAddress: Equatable, Hashable, Sendable {
    case v4(UInt32)
    case v6(UInt128)
}

extension IPAddress {
    /// Reads the whole of `bytes` as inet_pton(3) does: four decimal numbers without leading zeros, or RFC 4291 §2.2.
    public init?(_ bytes: borrowing RawSpan) {
        if let number = Self.v4(bytes, from: 0, to: bytes.byteCount) {
            self = .v4(number)
        } else if let number = Self.v6(bytes) {
            self = .v6(number)
        } else {
            return nil
        }
    }

    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        self.init(bytes.span.bytes)
    }

    /// The IPv4 address that an IPv6 socket calls `::ffff:a.b.c.d`. RFC 4291 §2.5.5.2.
    public var unmapped: IPAddress {
        if case .v6(let number) = self, number >> 32 == 0xFFFF { return .v4(UInt32(truncatingIfNeeded: number)) }
        return self
    }

    private static func v4(_ bytes: borrowing RawSpan, from start: Int, to end: Int) -> UInt32? {
        var at = start
        var number: UInt32 = 0
        for octet in 0..<4 {
            if octet > 0 {
                guard at < end, bytes[at] == UInt8(ascii: ".") else { return nil }
                at += 1
            }
            let first = at
            var value: UInt32 = 0
            while at < end, at - first < 3, let digit = bytes[at].decimalDigit {
                value = value * 10 + UInt32(digit)
                at += 1
            }
            // A leading zero reads as octal elsewhere: two readers would see two addresses.
            guard at > first, value < 256, at - first == 1 || bytes[first] != UInt8(ascii: "0") else { return nil }
            number = number << 8 | value
        }
        return at == end ? number : nil
    }

    private static func v6(_ bytes: borrowing RawSpan) -> UInt128? {
        let end = bytes.byteCount
        var at = 0
        var number: UInt128 = 0
        var groups = 0
        /// How many groups stand in front of `::`.
        var gap: Int?
        if end >= 2, bytes[0] == UInt8(ascii: ":"), bytes[1] == UInt8(ascii: ":") {
            gap = 0
            at = 2
        }
        while at < end {
            let first = at
            var group: UInt128 = 0
            while at < end, at - first < 4, let digit = bytes[at].hexadecimalDigit {
                group = group << 4 | UInt128(digit)
                at += 1
            }
            if at < end, bytes[at] == UInt8(ascii: "."), groups <= 6 {
                // The last two groups may be written as an IPv4 address.
                guard let tail = v4(bytes, from: first, to: end) else { return nil }
                number = number << 32 | UInt128(tail)
                groups += 2
                at = end
                break
            }
            guard at > first, groups < 8 else { return nil }
            number = number << 16 | group
            groups += 1
            guard at < end else { break }
            guard bytes[at] == UInt8(ascii: ":"), at + 1 < end else { return nil }
            at += 1
            if bytes[at] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = groups
                at += 1
            }
        }
        guard let gap else { return groups == 8 ? number : nil }
        // `::` stands for at least one group.
        guard groups < 8 else { return nil }
        let behind = 16 * (groups - gap)
        let low = number & ((1 << behind) - 1)
        return (number >> behind) << (16 * (8 - gap)) | low
    }
}

extension UInt8 {
    /// 0...9.
    var decimalDigit: UInt8? {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= self ? self - UInt8(ascii: "0") : nil
    }

    /// 0...15.
    fileprivate var hexadecimalDigit: UInt8? {
        if let digit = decimalDigit { return digit }
        let letter = self | 0x20
        return UInt8(ascii: "a")...UInt8(ascii: "f") ~= letter ? letter - UInt8(ascii: "a") + 10 : nil
    }
}

extension RawSpan {
    subscript(position: Int) -> UInt8 {
        unsafeLoad(fromByteOffset: position, as: UInt8.self)
    }
}
