/// The forms of the request target. RFC 9112 §3.2.
extension RequestParser {
    /// What follows the path of an origin-form target: query, fragment, or a byte that has no business here.
    ///
    /// - Returns: the position of the space that ends the target, or `stop`.
    @inline(never)
    mutating func scanPathTail(_ bytes: borrowing RawSpan, from start: Int, to stop: Int) throws(WireError) -> Int {
        var at = start
        if bytes.uncheckedByte(at) == UInt8(ascii: "?") {
            at += 1
            let queryStart = at
            while true {
                at = Scanning.pathEnd(in: bytes, from: at, to: stop)
                guard at < stop, bytes.uncheckedByte(at) == UInt8(ascii: "?") else { break }
                at += 1
            }
            head.query = ByteRange(queryStart, at)
        }
        if at < stop && bytes.uncheckedByte(at) == UInt8(ascii: "#") {
            // No client should send a fragment; it is not part of what was asked for.
            at = try scanTarget(bytes, from: at, to: stop)
        }
        if at < stop && bytes.uncheckedByte(at) != .space { throw Self.targetFault(bytes.uncheckedByte(at)) }
        return at
    }

    /// The position of the space that ends the target, or `stop`.
    func scanTarget(_ bytes: borrowing RawSpan, from start: Int, to stop: Int) throws(WireError) -> Int {
        var at = start
        while true {
            at = Scanning.pathEnd(in: bytes, from: at, to: stop)
            guard at < stop else { return at }
            let byte = bytes.uncheckedByte(at)
            if byte == .space { return at }
            guard byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") else { throw Self.targetFault(byte) }
            at += 1
        }
    }

    /// A target that is not origin-form: which form it has, whether the method may have it, and its parts.
    @inline(never)
    mutating func splitTarget(_ bytes: borrowing RawSpan, from start: Int, to end: Int) throws(WireError) {
        // Two spaces in a row, or a space in front.
        guard start < end else { throw WireError(.invalidRequestLine) }
        head.path = .empty
        head.query = .empty
        head.authority = .empty
        if head.knownMethod == .connect {
            // RFC 9112 §3.2.3: only the authority, and RFC 9110 §9.3.6: with a port.
            guard Authority.isValid(bytes, from: start, to: end, requiresPort: true) else {
                throw WireError(.invalidTargetForm)
            }
            head.authority = ByteRange(start, end)
            return
        }
        if end - start == 1 && bytes.uncheckedByte(start) == UInt8(ascii: "*") {
            // RFC 9112 §3.2.4.
            guard head.knownMethod == .options else { throw WireError(.invalidTargetForm) }
            head.path = ByteRange(start, end)
            return
        }
        try splitAbsolute(bytes, from: start, to: end)
    }

    /// `http://authority/path?query`. RFC 9112 §3.2.2.
    private mutating func splitAbsolute(_ bytes: borrowing RawSpan, from start: Int, to end: Int) throws(WireError) {
        // Only these two schemes name something that an origin server can have. RFC 9110 §4.2.
        let schemes: [StaticString] = ["http://", "https://"]
        var authorityStart = 0
        for scheme in schemes where FieldSyntax.hasPrefix(bytes, from: start, to: end, scheme) {
            authorityStart = start + scheme.utf8CodeUnitCount
        }
        guard authorityStart > 0 else { throw WireError(.invalidTargetForm) }

        var authorityEnd = authorityStart
        scan: while authorityEnd < end {
            switch bytes.uncheckedByte(authorityEnd) {
            case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"): break scan
            // RFC 9110 §4.2.4: user information is a way to disguise the host; treated as an error.
            default: authorityEnd += 1
            }
        }
        guard Authority.isValid(bytes, from: authorityStart, to: authorityEnd, requiresPort: false) else {
            throw WireError(.invalidAuthority)
        }
        let fragment = Scanning.first(UInt8(ascii: "#"), in: bytes, from: authorityEnd, to: end)
        let question = Scanning.first(UInt8(ascii: "?"), in: bytes, from: authorityEnd, to: fragment)
        head.authority = ByteRange(authorityStart, authorityEnd)
        head.path = ByteRange(authorityEnd, question)
        head.query = question < fragment ? ByteRange(question + 1, fragment) : .empty
    }
}
