extension RequestParser {
    /// Parses `method SP request-target SP HTTP-version CRLF`. RFC 9112 §3.
    ///
    /// - Returns: false if the line is not complete.
    @inline(__always)
    mutating func parseRequestLine(
        _ bytes: borrowing RawSpan, from position: inout Int, to end: Int
    ) throws(WireError) -> Bool {
        // The first position that the line's content may not reach.
        let bound = position &+ rules.requestLineLimit
        let stop = min(end, bound)

        // Method.
        let methodStart = position
        var at = position
        var hasLowerCase = false
        while true {
            guard at < stop else { return try outOfLine(at, bound: bound, end: end) }
            let byte = bytes.uncheckedByte(at)
            if byte == .space { break }
            guard byte.isTokenByte else { throw Self.methodFault(byte, isFirst: at == methodStart) }
            if byte.isLowerCase || byte == UInt8(ascii: "#") {
                guard rules.permitUnconventionalMethod else { throw WireError(.invalidMethod) }
                hasLowerCase = hasLowerCase || byte.isLowerCase
            }
            at &+= 1
            // The longest registered method has 17 bytes.
            if at &- methodStart > 20 && !rules.permitUnconventionalMethod { throw WireError(.invalidMethod) }
        }
        let methodLength = at &- methodStart
        if methodLength < 3 && (methodLength == 0 || !rules.permitUnconventionalMethod) {
            throw WireError(.invalidMethod)
        }
        head.method = ByteRange(methodStart, at)
        head.methodNeedsUppercasing = hasLowerCase && rules.casefoldMethod
        head.knownMethod = Self.knownMethod(bytes, methodStart, methodLength, foldsCase: head.methodNeedsUppercasing)
        at &+= 1

        // Request target.
        let targetStart = at
        guard at < stop else { return try outOfLine(at, bound: bound, end: end) }
        if bytes.uncheckedByte(at) == UInt8(ascii: "/") && head.knownMethod != .connect {
            at = Scanning.pathEnd(in: bytes, from: at, to: stop)
            head.path = ByteRange(targetStart, at)
            head.query = .empty
            head.authority = .empty
            if at < stop && bytes.uncheckedByte(at) != .space {
                at = try scanPathTail(bytes, from: at, to: stop)
            }
            guard at < stop else { return try outOfLine(at, bound: bound, end: end) }
        } else {
            at = try scanTarget(bytes, from: at, to: stop)
            guard at < stop else { return try outOfLine(at, bound: bound, end: end) }
            try splitTarget(bytes, from: targetStart, to: at)
        }
        head.target = ByteRange(targetStart, at)
        at &+= 1

        // Version. The common case is one comparison, and two bytes for the end of the line.
        if at &+ 10 <= end && at &+ 8 <= bound {
            let word = bytes.uncheckedWord(at)
            if bytes.uncheckedByte(at &+ 8) == .carriageReturn && bytes.uncheckedByte(at &+ 9) == .lineFeed {
                if word == Self.version11 || word == Self.version10 {
                    head.version = word == Self.version11 ? .http11 : .http10
                    position = at &+ 10
                    return true
                }
            }
        }
        guard try parseUncommonVersion(bytes, from: &at, bound: bound, end: end) else { return false }
        position = at
        return true
    }

    /// "HTTP/1.1" and "HTTP/1.0" as words with the first byte lowest.
    private static var version11: UInt64 { 0x312E_312F_5054_5448 }
    private static var version10: UInt64 { 0x302E_312F_5054_5448 }

    /// The bytes ran out inside the request line: either more must come, or the line is too long.
    private func outOfLine(_ at: Int, bound: Int, end: Int) throws(WireError) -> Bool {
        if at >= bound && at < end { throw WireError(.requestLineTooLong) }
        return false
    }

    private static func methodFault(_ byte: UInt8, isFirst: Bool) -> WireError {
        switch byte {
        case .lineFeed: WireError(.bareLineFeed)
        case .carriageReturn: WireError(isFirst ? .invalidMethod : .invalidRequestLine)
        default: WireError(.invalidMethod)
        }
    }

    static func targetFault(_ byte: UInt8) -> WireError {
        switch byte {
        case .lineFeed: WireError(.bareLineFeed)
        // No version follows: HTTP/0.9, or a broken line.
        case .carriageReturn: WireError(.invalidRequestLine)
        default: WireError(.invalidTarget)
        }
    }

    @inline(__always)
    private static func knownMethod(
        _ bytes: borrowing RawSpan, _ start: Int, _ length: Int, foldsCase: Bool
    ) -> Method {
        guard length < 8 else { return .other }
        var word = bytes.shortWord(at: start, count: length)
        // All bytes are token bytes; clearing bit 5 turns letters to upper case and makes no other one a letter.
        if foldsCase { word &= 0xDFDF_DFDF_DFDF_DFDF }
        return switch word {
        case 0x54_4547: .get
        case 0x5453_4F50: .post
        case 0x4441_4548: .head
        case 0x54_5550: .put
        case 0x4554_454C_4544: .delete
        case 0x48_4354_4150: .patch
        case 0x53_4E4F_4954_504F: .options
        case 0x54_4345_4E4E_4F43: .connect
        case 0x45_4341_5254: .trace
        default: .other
        }
    }

    /// The version byte by byte: for a line that is cut there, or holds anything but the two usual versions.
    @inline(never)
    private mutating func parseUncommonVersion(
        _ bytes: borrowing RawSpan, from position: inout Int, bound: Int, end: Int
    ) throws(WireError) -> Bool {
        let start = position
        let stop = min(end, bound)
        let prefix: StaticString = "HTTP/"
        for offset in 0..<8 {
            guard start + offset < stop else { return try outOfLine(start + offset, bound: bound, end: end) }
            let byte = bytes.uncheckedByte(start + offset)
            let matches =
                switch offset {
                case 0..<5: byte == prefix.utf8Start[offset]
                case 6: byte == UInt8(ascii: ".")
                default: byte.isDigit
                }
            guard matches else {
                if byte == .lineFeed { throw WireError(.bareLineFeed) }
                // One space too many, or none and no version.
                if byte == .space || byte == .carriageReturn { throw WireError(.invalidRequestLine) }
                throw WireError(.invalidVersion)
            }
        }
        let major = bytes.uncheckedByte(start + 5) - UInt8(ascii: "0")
        let minor = bytes.uncheckedByte(start + 7) - UInt8(ascii: "0")
        switch (major, minor) {
        case (1, 0): head.version = .http10
        case (1, 1): head.version = .http11
        default:
            guard rules.permitUnconventionalVersion else { throw WireError(.unsupportedVersion) }
            head.version = major > 1 || (major == 1 && minor > 0) ? .http11 : .http10
        }
        guard start + 8 < end else { return false }
        let byte = bytes.uncheckedByte(start + 8)
        guard byte == .carriageReturn else {
            if byte == .lineFeed { throw WireError(.bareLineFeed) }
            throw WireError(start + 8 >= bound ? .requestLineTooLong : .invalidRequestLine)
        }
        guard start + 9 < end else { return false }
        guard bytes.uncheckedByte(start + 9) == .lineFeed else { throw WireError(.bareCarriageReturn) }
        position = start + 10
        return true
    }
}
