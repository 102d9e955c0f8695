/// What a call of ``RequestParser/parse(_:fromTrustedPeer:)`` came to.
public enum ParseProgress: Sendable {
    /// The head is not complete. Call again, with all of its bytes, when more have arrived.
    case more
    /// ``RequestParser/head`` is complete.
    case head
}

/// Parses the head of an HTTP/1.1 or HTTP/1.0 request out of a buffer, without copying and without allocating.
///
/// Every call looks at the head from its first byte: no state has to be kept between calls, so one parser serves any
/// number of connections, and idle connections hold nothing. Bytes behind the head are not looked at.
///
/// Bytes are judged strictly from left to right, and each verdict depends only on bytes up to the one that decides it.
/// So a fault is reported as soon as that byte is there, and however the bytes are cut into reads, the answer is the
/// same.
/// RFC 9112 §2.2 to §7.
public struct RequestParser: ~Copyable {
    public internal(set) var head = RequestHead()

    let rules: RequestRules
    let knownNames = KnownFieldNames.shared
    var facts = FieldFacts()

    public init(policy: RequestPolicy) {
        rules = RequestRules(policy)
    }

    /// Parses the request that starts at the first byte.
    ///
    /// - Parameter bytes: all that has arrived since the end of the previous request.
    /// - Parameter fromTrustedPeer: the peer may name the scheme and send forwarder headers.
    /// - Throws: `WireError` as soon as the bytes seen leave no way to a valid request.
    public mutating func parse(_ bytes: RawSpan, fromTrustedPeer: Bool) throws(WireError) -> ParseProgress {
        // Positions are 32 bits, and no head is larger than the limit: what lies behind is the body's or an attacker's.
        let end = min(bytes.byteCount, rules.headSizeLimit)
        guard try parseHead(bytes, to: end, fromTrustedPeer: fromTrustedPeer) else {
            if bytes.byteCount > end { throw WireError(.headTooLarge) }
            return .more
        }
        return .head
    }

    /// Whether the head ends before `end`.
    @inline(__always)
    private mutating func parseHead(
        _ bytes: borrowing RawSpan, to end: Int, fromTrustedPeer: Bool
    ) throws(WireError) -> Bool {
        var position = 0
        // RFC 9112 §2.2: one empty line in front of the request line is skipped. A second one is not.
        if end > 0 && bytes.uncheckedByte(0) == .carriageReturn {
            guard end > 1 else { return false }
            guard bytes.uncheckedByte(1) == .lineFeed else { throw WireError(.bareCarriageReturn) }
            position = 2
        }
        guard try parseRequestLine(bytes, from: &position, to: end) else { return false }
        guard try parseFields(bytes, from: &position, to: end, fromTrustedPeer: fromTrustedPeer) else { return false }
        head.byteCount = position
        try concludeHead()
        return true
    }
}

/// A policy in the form in which the parser consults it.
struct RequestRules: Sendable {
    let requestLineLimit: Int
    let fieldLimit: Int
    let fieldSizeLimit: Int
    let bodyLimit: Int
    let headSizeLimit: Int
    let permitMissingHost: Bool
    let permitObsoleteFolding: Bool
    let stripHeaderSpaces: Bool
    let permitUnconventionalMethod: Bool
    let permitUnconventionalVersion: Bool
    let casefoldMethod: Bool
    let headerMap: FieldNameMap
    let forwardsAllNames: Bool
    /// Lower case.
    let forwarderNames: [[UInt8]]
    /// Names in lower case.
    let secureSchemes: [(name: [UInt8], value: [UInt8])]
    /// One bit per length that a name in `secureSchemes` has, so that most field lines are told apart by one test.
    let secureSchemeLengths: UInt64

    init(_ policy: RequestPolicy) {
        requestLineLimit = policy.effectiveRequestLine
        fieldLimit = policy.effectiveRequestFields
        fieldSizeLimit = policy.effectiveRequestFieldSize
        bodyLimit = policy.limitRequestBody > 0 ? policy.limitRequestBody : .max
        headSizeLimit = policy.headSizeLimit
        permitMissingHost = policy.permitMissingHost
        permitObsoleteFolding = policy.permitObsoleteFolding
        stripHeaderSpaces = policy.stripHeaderSpaces
        permitUnconventionalMethod = policy.permitUnconventionalMethod
        permitUnconventionalVersion = policy.permitUnconventionalVersion
        casefoldMethod = policy.casefoldMethod
        headerMap = policy.headerMap
        switch policy.forwarderHeaders {
        case .all:
            forwardsAllNames = true
            forwarderNames = []
        case .named(let names):
            forwardsAllNames = names.contains("*")
            forwarderNames = names.map { $0.utf8.map(\.lowerCased) }
        }
        secureSchemes = policy.secureSchemeHeaders.map { ($0.name.utf8.map(\.lowerCased), Array($0.secureValue.utf8)) }
        secureSchemeLengths = secureSchemes.reduce(0) { $0 | 1 << UInt64(min($1.name.count, 63)) }
    }
}
