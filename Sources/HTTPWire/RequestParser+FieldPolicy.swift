/// What the server takes from the field lines while it reads them.
struct FieldFacts {
    var hasHost = false
    var hasContentType = false
    var contentLength = -1
    var hasTransferEncoding = false
    /// `chunked` has been named. Nothing may follow it.
    var isChunked = false
    /// A coding is applied that the application must undo: what follows the body cannot be trusted to be a request.
    var hasOtherCoding = false
    var wantsClose = false
    var wantsKeepAlive = false
    var expectsContinue = false
}

extension FieldKind {
    /// The parser itself must look at the value.
    @inline(__always)
    var concernsServer: Bool { rawValue >= FieldKind.host.rawValue && rawValue <= FieldKind.expect.rawValue }
}

extension RequestParser {
    /// Takes note of a field line that changes how the request is read.
    @inline(__always)
    mutating func note(_ field: FieldLine, _ bytes: borrowing RawSpan) throws(WireError) {
        // Even where folding is permitted: two readers of such a line could differ about where the message ends.
        if field.isFolded { throw WireError(.obsoleteFolding) }
        let start = Int(field.value.start)
        let end = Int(field.value.end)
        switch field.kind {
        case .host: try noteHost(bytes, from: start, to: end)
        case .connection: noteConnection(bytes, from: start, to: end)
        case .contentType:
            if facts.hasContentType { throw WireError(.duplicateContentType) }
            facts.hasContentType = true
        case .contentLength: try noteContentLength(bytes, from: start, to: end)
        case .transferEncoding: try noteTransferEncoding(bytes, from: start, to: end)
        case .expect: try noteExpectation(bytes, from: start, to: end)
        default: break
        }
    }

    /// RFC 9112 §3.2: exactly one, and valid. RFC 9110 §4.2.1: not empty.
    @inline(__always)
    private mutating func noteHost(_ bytes: borrowing RawSpan, from start: Int, to end: Int) throws(WireError) {
        if facts.hasHost { throw WireError(.duplicateHost) }
        facts.hasHost = true
        if start == end && rules.permitMissingHost { return }
        guard Authority.isValid(bytes, from: start, to: end, requiresPort: false) else {
            throw WireError(.invalidHost)
        }
    }

    /// A list of options, of which `close` and `keep-alive` matter here. RFC 9110 §7.6.1, RFC 9112 §9.3.
    @inline(__always)
    private mutating func noteConnection(_ bytes: borrowing RawSpan, from start: Int, to end: Int) {
        // What nearly every client sends, in two comparisons: "keep-ali" and "ep-alive", in any case.
        if end &- start == 10 && bytes.uncheckedWord(start) & ~0x2020_2000_2020_2020 == 0x494C_412D_5045_454B
            && bytes.uncheckedWord(start &+ 2) & ~0x2020_2020_2000_2020 == 0x4556_494C_412D_5045
        {
            facts.wantsKeepAlive = true
            return
        }
        var list = TokenList(from: start, to: end)
        while let option = list.next(bytes) {
            if FieldSyntax.equals(bytes, option, "close") { facts.wantsClose = true }
            if FieldSyntax.equals(bytes, option, "keep-alive") { facts.wantsKeepAlive = true }
        }
    }

    /// `1*DIGIT`, once. RFC 9110 §8.6, RFC 9112 §6.3.
    private mutating func noteContentLength(
        _ bytes: borrowing RawSpan, from start: Int, to end: Int
    ) throws(WireError) {
        // Even the same value again: gateways differ about which of two they go by.
        if facts.contentLength >= 0 { throw WireError(.duplicateContentLength) }
        guard let value = FieldSyntax.decimal(bytes, from: start, to: end) else {
            throw WireError(.invalidContentLength)
        }
        if facts.hasTransferEncoding { throw WireError(.lengthWithTransferEncoding) }
        // A number that does not fit is valid, just larger than any body that could be served.
        guard case .value(let length) = value, length <= rules.bodyLimit else { throw WireError(.bodyTooLarge) }
        facts.contentLength = length
    }

    /// RFC 9112 §6.1. Several field lines are one list.
    private mutating func noteTransferEncoding(
        _ bytes: borrowing RawSpan, from start: Int, to end: Int
    ) throws(WireError) {
        if head.version == .http10 { throw WireError(.transferEncodingOnHTTP10) }
        if facts.contentLength >= 0 { throw WireError(.lengthWithTransferEncoding) }
        facts.hasTransferEncoding = true
        var list = TokenList(from: start, to: end)
        while let coding = list.next(bytes) {
            // Lists may hold empty elements, but not where two readers could see a different last coding.
            if coding.isEmpty { throw WireError(.invalidTransferEncoding) }
            // `chunked` is applied once, and last.
            if facts.isChunked { throw WireError(.chunkedNotLast) }
            if FieldSyntax.equals(bytes, coding, "chunked") {
                facts.isChunked = true
            } else if FieldSyntax.equals(bytes, coding, "gzip") || FieldSyntax.equals(bytes, coding, "deflate")
                || FieldSyntax.equals(bytes, coding, "compress")
            {
                facts.hasOtherCoding = true
            } else if !FieldSyntax.equals(bytes, coding, "identity") {
                throw WireError(.unknownTransferCoding)
            }
        }
    }

    /// RFC 9110 §10.1.1.
    private mutating func noteExpectation(
        _ bytes: borrowing RawSpan, from start: Int, to end: Int
    ) throws(WireError) {
        guard FieldSyntax.equals(bytes, ByteRange(start, end), "100-continue") else {
            throw WireError(.unknownExpectation)
        }
        facts.expectsContinue = true
    }

    /// The scheme that a trusted proxy vouches for.
    @inline(never)
    mutating func noteScheme(_ field: FieldLine, _ bytes: borrowing RawSpan) throws(WireError) {
        let name = bytes.extracting(field.name.offsets)
        for header in rules.secureSchemes where FieldSyntax.equals(name, lowerCased: header.name) {
            let isSecure = FieldSyntax.equalsExactly(bytes.extracting(field.value.offsets), header.value)
            let scheme = isSecure ? SchemeOverride.https : .http
            if head.schemeOverride != .none && head.schemeOverride != scheme { throw WireError(.conflictingScheme) }
            head.schemeOverride = scheme
            return
        }
    }

    /// Whether a name with an underscore is kept.
    @inline(never)
    func keepsUnderscore(
        _ field: FieldLine, _ bytes: borrowing RawSpan, fromTrustedPeer: Bool
    ) throws(WireError) -> Bool {
        if fromTrustedPeer {
            if rules.forwardsAllNames { return true }
            let name = bytes.extracting(field.name.offsets)
            for allowed in rules.forwarderNames where FieldSyntax.equals(name, lowerCased: allowed) { return true }
        }
        switch rules.headerMap {
        case .dangerous: return true
        case .drop: return false
        case .refuse: throw WireError(.ambiguousFieldName)
        }
    }

    /// What only the whole field section can tell.
    @inline(__always)
    mutating func concludeHead() throws(WireError) {
        if !facts.hasHost && head.version == .http11 && !rules.permitMissingHost { throw WireError(.missingHost) }
        if facts.hasTransferEncoding {
            // RFC 9112 §6.3: such a request has no end that could be known.
            guard facts.isChunked else { throw WireError(.chunkedNotLast) }
            head.framing = .chunked
        } else if facts.contentLength >= 0 {
            head.framing = .length(facts.contentLength)
        } else {
            head.framing = .none
        }
        // RFC 9112 §9.3; behind CONNECT stands a tunnel's data, never a request.
        head.isPersistent =
            (head.version == .http11 || facts.wantsKeepAlive) && !facts.wantsClose && !facts.hasOtherCoding
            && head.knownMethod != .connect
        // RFC 9110 §10.1.1: ignored on HTTP/1.0, and pointless without a body.
        head.expectsContinue =
            facts.expectsContinue && head.version == .http11 && head.framing != .none && head.framing != .length(0)
    }
}
