/// What a client did that cannot be served. The raw value is the stable identifier shown in the response and in logs.
public enum WireFault: String, CaseIterable, Sendable {
    // MARK: 400, the message as a whole

    /// A line ends with LF alone. RFC 9112 §2.2 lets a recipient accept it; a server behind a proxy must not.
    case bareLineFeed = "bare-line-feed"
    /// A CR that no LF follows. RFC 9112 §2.2.
    case bareCarriageReturn = "bare-carriage-return"

    // MARK: 400, the request line

    /// The method is no token, or not upper case, or not 3 to 20 bytes long. RFC 9110 §9.1; the last two are policy.
    case invalidMethod = "invalid-method"
    /// A missing part, or more than one space between parts. RFC 9112 §3.
    case invalidRequestLine = "invalid-request-line"
    /// A byte that cannot stand in a URI. RFC 9112 §3.2, RFC 3986 §2.
    case invalidTarget = "invalid-target"
    /// The form of the target is not one that this method may have. RFC 9112 §3.2.
    case invalidTargetForm = "invalid-target-form"
    /// The authority inside the target is not `host[:port]`. RFC 3986 §3.2, RFC 9110 §4.2.
    case invalidAuthority = "invalid-authority"
    /// Not `HTTP/d.d`. RFC 9112 §2.3.
    case invalidVersion = "invalid-version"

    // MARK: 400, the field section

    /// The first field line starts with white space. RFC 9112 §2.2.
    case spaceBeforeFirstField = "space-before-first-field"
    /// A field line is continued on the next line. RFC 9112 §5.2.
    case obsoleteFolding = "obsolete-folding"
    /// The field name is empty or no token. RFC 9110 §5.1.
    case invalidFieldName = "invalid-field-name"
    /// White space between the field name and the colon. RFC 9112 §5.1.
    case spaceBeforeColon = "space-before-colon"
    /// A field line without a colon. RFC 9112 §5.
    case missingColon = "missing-colon"
    /// A control character in a field value. RFC 9110 §5.5.
    case invalidFieldValue = "invalid-field-value"
    /// An underscore in a field name where policy refuses it: in CGI names it cannot be told from a hyphen.
    case ambiguousFieldName = "ambiguous-field-name"
    /// HTTP/1.1 without Host. RFC 9112 §3.2.
    case missingHost = "missing-host"
    /// More than one Host. RFC 9112 §3.2.
    case duplicateHost = "duplicate-host"
    /// Host is not `host[:port]`. RFC 9110 §7.2.
    case invalidHost = "invalid-host"
    /// More than one Content-Type, a field that cannot be a list. RFC 9110 §5.3, §8.3.
    case duplicateContentType = "duplicate-content-type"
    /// Two headers of a trusted proxy disagree about the scheme.
    case conflictingScheme = "conflicting-scheme"

    // MARK: 400, framing

    /// Content-Length is not one run of decimal digits. RFC 9110 §8.6.
    case invalidContentLength = "invalid-content-length"
    /// More than one Content-Length. RFC 9112 §6.3.
    case duplicateContentLength = "duplicate-content-length"
    /// Content-Length beside Transfer-Encoding. RFC 9112 §6.1: a sign of request smuggling.
    case lengthWithTransferEncoding = "length-with-transfer-encoding"
    /// Transfer-Encoding on HTTP/1.0. RFC 9112 §6.1.
    case transferEncodingOnHTTP10 = "transfer-encoding-on-http10"
    /// The last transfer coding is not `chunked`, or `chunked` comes before another. RFC 9112 §6.1, §6.3.
    case chunkedNotLast = "chunked-not-last"
    /// Transfer-Encoding is no list of codings. RFC 9112 §6.1.
    case invalidTransferEncoding = "invalid-transfer-encoding"
    /// A chunk size that is empty, not hexadecimal, or followed by stray bytes. RFC 9112 §7.1.
    case invalidChunkSize = "invalid-chunk-size"
    /// A chunk extension outside the grammar. RFC 9112 §7.1.1.
    case invalidChunkExtension = "invalid-chunk-extension"
    /// Chunk extensions out of all proportion to the data. RFC 9112 §7.1.1.
    case excessiveChunkExtensions = "excessive-chunk-extensions"
    /// Chunk data that CRLF does not follow. RFC 9112 §7.1.
    case missingChunkTerminator = "missing-chunk-terminator"
    /// A field in the trailer section that changes framing, routing or authentication. RFC 9110 §6.5.1.
    case forbiddenTrailer = "forbidden-trailer"

    // MARK: other statuses

    /// 408: the head did not arrive in time. RFC 9110 §15.5.9.
    case headTimeout = "head-timeout"
    /// 408: the body made no progress for too long. RFC 9110 §15.5.9.
    case bodyTimeout = "body-timeout"
    /// 413: the body is larger than the limit. RFC 9110 §15.5.14.
    case bodyTooLarge = "body-too-large"
    /// 414: the request line is longer than the limit. RFC 9110 §15.5.15.
    case requestLineTooLong = "request-line-too-long"
    /// 417: an expectation other than `100-continue`. RFC 9110 §10.1.1.
    case unknownExpectation = "unknown-expectation"
    /// 431: a field line is longer than the limit. RFC 6585 §5.
    case fieldTooLarge = "field-too-large"
    /// 431: more field lines than the limit. RFC 6585 §5.
    case tooManyFields = "too-many-fields"
    /// 431: the head as a whole is larger than this server ever reads. RFC 6585 §5.
    case headTooLarge = "head-too-large"
    /// 501: a transfer coding that this server does not know. RFC 9112 §6.1.
    case unknownTransferCoding = "unknown-transfer-coding"
    /// 503: there is no place to keep the body. RFC 9110 §15.6.4.
    case bodyNotStored = "body-not-stored"
    /// 503: the files of all bodies have as many bytes as they may. RFC 9110 §15.6.4.
    case spoolFull = "spool-full"
    /// 505: well-formed, but neither HTTP/1.0 nor HTTP/1.1. RFC 9110 §15.6.6.
    case unsupportedVersion = "unsupported-version"
    /// 507: the place where bodies are kept is full. RFC 4918 §11.5.
    case insufficientStorage = "insufficient-storage"

    /// Whether it is this server, and not the client, that is at fault.
    public var isServers: Bool {
        switch self {
        case .bodyNotStored, .spoolFull, .insufficientStorage: true
        default: false
        }
    }

    /// The status code to answer with.
    public var status: Int {
        switch self {
        case .headTimeout, .bodyTimeout: 408
        case .bodyTooLarge: 413
        case .requestLineTooLong: 414
        case .unknownExpectation: 417
        case .fieldTooLarge, .tooManyFields, .headTooLarge: 431
        case .unknownTransferCoding: 501
        case .bodyNotStored, .spoolFull: 503
        case .unsupportedVersion: 505
        case .insufficientStorage: 507
        default: 400
        }
    }
}

/// A request that is refused, with the status to answer it with. After one of these the position of the next request in
/// the byte stream is unknown, so the connection must close. RFC 9112 §2.2, §6.3.
///
/// It carries nothing of what the client sent, so that nothing of it can end up in a response or a log by accident.
public struct WireError: Error, Equatable, Sendable {
    public let fault: WireFault

    public init(_ fault: WireFault) {
        self.fault = fault
    }

    /// The status code to answer with, 400...599.
    public var status: Int { fault.status }

    /// The reason phrase of ``status``.
    public var reason: String { ReasonPhrase.of(fault.status) ?? "Error" }

    /// The stable identifier, for example `bare-line-feed`.
    public var id: String { fault.rawValue }
}
