/// `host [ ":" port ]`: the value of Host, and the authority of a request target. RFC 9110 §7.2, RFC 3986 §3.2.
enum Authority {
    /// Whether `start..<end` is a host, not empty, perhaps with a port below 65536.
    ///
    /// User information is refused: RFC 9110 §4.2.4.
    static func isValid(_ bytes: borrowing RawSpan, from start: Int, to end: Int, requiresPort: Bool) -> Bool {
        guard start < end else { return false }
        var at = start
        if bytes[at] == UInt8(ascii: "[") {
            let close = Scanning.first(UInt8(ascii: "]"), in: bytes, from: at, to: end)
            guard close < end, isIPLiteral(bytes, from: at + 1, to: close) else { return false }
            at = close + 1
        } else {
            guard let hostEnd = registeredNameEnd(bytes, from: at, to: end), hostEnd > at else { return false }
            at = hostEnd
        }
        guard at < end else { return !requiresPort }
        guard bytes[at] == UInt8(ascii: ":") else { return false }
        at += 1
        // `port = *DIGIT`: a colon with nothing behind it is the default port.
        guard at < end else { return !requiresPort }
        var port = 0
        while at < end {
            guard bytes[at].isDigit else { return false }
            port = port * 10 + Int(bytes[at] - UInt8(ascii: "0"))
            guard port <= 65535 else { return false }
            at += 1
        }
        return !requiresPort || port > 0
    }

    /// Where `reg-name`, or an IPv4 address, which looks the same, ends: at a colon or at `end`. RFC 3986 §3.2.2.
    ///
    /// - Returns: nil if a byte in it is not allowed.
    private static func registeredNameEnd(_ bytes: borrowing RawSpan, from start: Int, to end: Int) -> Int? {
        var at = start
        while at &+ 8 <= end && Scanning.isPlainHost(bytes.uncheckedWord(at)) { at &+= 8 }
        while at < end {
            let byte = bytes.uncheckedByte(at)
            if byte.isRegisteredNameByte {
                at &+= 1
            } else if byte == UInt8(ascii: ":") {
                return at
            } else {
                guard byte == UInt8(ascii: "%"), at + 2 < end, bytes[at + 1].hexValue != nil,
                    bytes[at + 2].hexValue != nil
                else { return nil }
                at &+= 3
            }
        }
        return end
    }

    /// What stands between the brackets. RFC 3986 §3.2.2.
    private static func isIPLiteral(_ bytes: borrowing RawSpan, from start: Int, to end: Int) -> Bool {
        guard start < end else { return false }
        if bytes[start].lowerCased == UInt8(ascii: "v") { return isFutureAddress(bytes, from: start + 1, to: end) }
        return isIPv6Address(bytes, from: start, to: end)
    }

    /// `1*HEXDIG "." 1*( unreserved / sub-delims / ":" )`, behind the `v`.
    private static func isFutureAddress(_ bytes: borrowing RawSpan, from start: Int, to end: Int) -> Bool {
        let dot = Scanning.first(UInt8(ascii: "."), in: bytes, from: start, to: end)
        guard dot > start, dot + 1 < end else { return false }
        for at in start..<dot where bytes[at].hexValue == nil { return false }
        for at in (dot + 1)..<end where !(bytes[at].isRegisteredNameByte || bytes[at] == UInt8(ascii: ":")) {
            return false
        }
        return true
    }

    /// Eight groups of one to four hexadecimal digits, or fewer around one `::`; the last two may be an IPv4 address.
    private static func isIPv6Address(_ bytes: borrowing RawSpan, from start: Int, to end: Int) -> Bool {
        var groups = 0
        var isCompressed = false
        var at = start
        if at + 1 < end, bytes[at] == UInt8(ascii: ":"), bytes[at + 1] == UInt8(ascii: ":") {
            isCompressed = true
            at += 2
            if at == end { return true }
        }
        while true {
            let groupStart = at
            while at < end, at - groupStart < 5, bytes[at].hexValue != nil { at += 1 }
            if at < end, bytes[at] == UInt8(ascii: ".") {
                groups += 2
                return isIPv4Address(bytes, from: groupStart, to: end) && (isCompressed ? groups < 8 : groups == 8)
            }
            guard (1...4).contains(at - groupStart) else { return false }
            groups += 1
            guard at < end else { return isCompressed ? groups < 8 : groups == 8 }
            guard bytes[at] == UInt8(ascii: ":"), groups < 8 else { return false }
            at += 1
            guard at < end else { return false }
            if bytes[at] == UInt8(ascii: ":") {
                guard !isCompressed else { return false }
                isCompressed = true
                at += 1
                if at == end { return groups < 8 }
            }
        }
    }

    /// Four decimal numbers below 256, without leading zeros. RFC 3986 §3.2.2.
    private static func isIPv4Address(_ bytes: borrowing RawSpan, from start: Int, to end: Int) -> Bool {
        var at = start
        for octet in 0..<4 {
            if octet > 0 {
                guard at < end, bytes[at] == UInt8(ascii: ".") else { return false }
                at += 1
            }
            let first = at
            var value = 0
            while at < end, at - first < 3, bytes[at].isDigit {
                value = value * 10 + Int(bytes[at] - UInt8(ascii: "0"))
                at += 1
            }
            guard at > first, value < 256, at - first == 1 || bytes[first] != UInt8(ascii: "0") else { return false }
        }
        return at == end
    }
}

extension UInt8 {
    /// `unreserved / sub-delims`, RFC 3986 §2.2, §2.3.
    @inline(__always)
    fileprivate var isRegisteredNameByte: Bool {
        // One bit per ASCII character: letters, digits, and -._~!$&'()*+,;=
        let bits: UInt64 = self < 64 ? 0x2BFF_7FD2_0000_0000 : 0x47FF_FFFE_87FF_FFFE
        return self < 128 && (bits &>> UInt64(self & 63)) & 1 == 1
    }
}
