/// Clients' addresses as text.
extension TextBuffer {
    /// `203.0.113.9:5000`, `[2001:db8::1]:5000`, `unix`, or `unknown`.
    public mutating func append(_ client: ScoreboardClient) {
        switch client.family {
        case .unknown: return append("unknown")
        case .unix: return append("unix")
        case .ipv4: append(ipv4: UInt32(truncatingIfNeeded: client.low))
        case .ipv6:
            append(UInt8(ascii: "["))
            append(ipv6: client.address)
            append(UInt8(ascii: "]"))
        }
        append(UInt8(ascii: ":"))
        append(UInt64(client.port))
    }

    /// `203.0.113.9`, of an address in host byte order.
    public mutating func append(ipv4 address: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] {
            append(UInt64(address >> shift & 255))
            if shift > 0 { append(UInt8(ascii: ".")) }
        }
    }

    /// RFC 5952 §4: lower case, no zeros in front, and the longest run of two zero groups or more, the first of equals,
    /// is `::`. An IPv4 address inside of one (RFC 4291 §2.5.5) is written as such, as inet_ntop(3) does.
    public mutating func append(ipv6 address: UInt128) {
        let upper = address >> 32
        if upper == 0xFFFF || (upper == 0 && address > 0xFFFF) {
            append("::")
            if upper == 0xFFFF { append("ffff:") }
            return append(ipv4: UInt32(truncatingIfNeeded: address))
        }
        func group(_ index: Int) -> UInt16 { UInt16(truncatingIfNeeded: address >> UInt128(16 * (7 - index))) }
        var (gap, length) = (8, 1)
        var index = 0
        while index < 8 {
            var end = index
            while end < 8, group(end) == 0 { end += 1 }
            if end - index > length { (gap, length) = (index, end - index) }
            index = max(end, index + 1)
        }
        index = 0
        while index < 8 {
            if index == gap {
                append("::")
                index += length
                continue
            }
            if index > 0, index != gap + length { append(UInt8(ascii: ":")) }
            append(hex: group(index))
            index += 1
        }
    }

    private mutating func append(hex group: UInt16) {
        var isLeading = true
        for shift in [12, 8, 4, 0] as [UInt16] {
            let digit = UInt8(truncatingIfNeeded: group >> shift & 15)
            if digit == 0, isLeading, shift > 0 { continue }
            isLeading = false
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
