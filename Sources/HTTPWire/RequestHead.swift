/// The version by whose rules a request is served. RFC 9112 §2.3.
public enum HTTPVersion: UInt8, Sendable {
    case http10
    case http11
}

/// Where the message body ends. RFC 9112 §6.3.
public enum BodyFraming: Equatable, Sendable {
    case none
    /// Bytes.
    case length(Int)
    case chunked
}

/// Methods that the server or a cache of interned names wants to tell apart. RFC 9110 §9.3, RFC 5789.
public enum Method: UInt8, Sendable {
    case other, get, head, post, put, delete, connect, options, trace, patch
}

/// The scheme that a trusted proxy vouches for.
public enum SchemeOverride: UInt8, Sendable {
    case none, http, https
}

/// One field line that policy lets through. RFC 9112 §5.
public struct FieldLine: Sendable {
    /// As the client wrote it, in any case.
    public var name: ByteRange
    /// Without the white space around it. If ``isFolded``, with line breaks inside: ``FieldSyntax/unfold(_:into:)``.
    public var value: ByteRange
    public var kind: FieldKind
    /// Continued over several lines, which only happens where policy permits it.
    public var isFolded: Bool
}

/// A request up to the empty line, as ranges over the parsed bytes.
///
/// It belongs to the parser, which overwrites it with the next request; nothing in it is allocated per request.
public struct RequestHead: ~Copyable {
    /// Bytes of the head, with a skipped leading CRLF and the empty line. The body starts here.
    public internal(set) var byteCount = 0
    public internal(set) var method = ByteRange.empty
    public internal(set) var knownMethod = Method.other
    /// The request target as sent.
    public internal(set) var target = ByteRange.empty
    /// Path of an origin-form or absolute-form target, still percent-encoded, without query and fragment. It is empty
    /// for `http://host`, and for `CONNECT`; for `OPTIONS *` it is the asterisk.
    public internal(set) var path = ByteRange.empty
    /// What follows `?`, without it and without a fragment.
    public internal(set) var query = ByteRange.empty
    /// `host[:port]` of an absolute-form or authority-form target; it takes the place of Host. RFC 9112 §3.2.2.
    public internal(set) var authority = ByteRange.empty
    public internal(set) var version = HTTPVersion.http11
    public internal(set) var fields = FieldTable()
    public internal(set) var framing = BodyFraming.none
    /// Whether the client lets the connection stay open after the response. RFC 9112 §9.3.
    public internal(set) var isPersistent = true
    /// The client waits for `100 Continue` before it sends the body. RFC 9110 §10.1.1. Never true without a body.
    public internal(set) var expectsContinue = false
    public internal(set) var schemeOverride = SchemeOverride.none
    /// The method holds lower case letters and policy wants them read as upper case.
    public internal(set) var methodNeedsUppercasing = false

    init() {}
}

/// The field lines of one request, in storage that lives as long as the parser.
///
/// An `Array` would do, were it not that a copy of it anywhere makes the next request allocate.
public struct FieldTable: ~Copyable {
    private var storage: UnsafeMutablePointer<FieldLine>
    private var capacity: Int
    public private(set) var count = 0

    init() {
        capacity = 32
        storage = .allocate(capacity: capacity)
    }

    deinit {
        storage.deallocate()
    }

    /// The field line at a position below ``count``; any other position traps.
    public subscript(position: Int) -> FieldLine {
        precondition(position >= 0 && position < count)
        return storage[position]
    }

    mutating func removeAll() {
        count = 0
    }

    @inline(__always)
    mutating func append(_ field: FieldLine) {
        if count == capacity { grow() }
        // `FieldLine` is trivial: storing to uninitialized memory is initializing it.
        storage[count] = field
        count &+= 1
    }

    @inline(never)
    private mutating func grow() {
        let wider = UnsafeMutablePointer<FieldLine>.allocate(capacity: capacity * 2)
        wider.update(from: storage, count: count)
        storage.deallocate()
        storage = wider
        capacity *= 2
    }
}
