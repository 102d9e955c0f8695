public import Platform
public import ProxyWire

/// A connection on its way to another worker: what is known of it besides its socket, which travels beside the parcel
/// as a descriptor.
///
/// Received input is not interpreted: whoever adopts the connection parses it again, so that there is one parser to
/// trust. Only what parsing again would not find out is told: who the client is, what it was promised, and how long it
/// may still take. Times are of the monotonic clock, which all processes of a machine share; so nobody gets a fresh
/// deadline by travelling.
///
/// What cannot travel, because another process cannot go on with it: a response that is not sent, a body that is
/// streamed to the application, a chunked body that is not complete and of which bytes were taken out of their framing.
public struct Parcel: Equatable, Sendable {
    public enum Phase: UInt8, CaseIterable, Sendable {
        /// Waits for the PROXY header, or has part of it.
        case preamble
        /// Between requests.
        case idle
        /// Part of a head has come.
        case head
        /// A head, and part of its body.
        case body
        /// A complete request that waits for a runner.
        case held
    }

    /// Where the request's body is. The head is in `received` in any case.
    public enum Body: Equatable, Sendable {
        /// There is none, or it is in `received` as it came: parse on behind the head.
        case unparsed
        /// Out of its framing, in the parcel's `body` bytes.
        case memory
        /// Out of its framing, in a file whose descriptor comes second: this many bytes of it.
        case file(count: Int)
    }

    /// What was said, promised or learned once, and must not be again.
    public struct Flags: OptionSet, Equatable, Sendable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// `100 Continue` was sent for the request under way.
        public static let sentContinue = Flags(rawValue: 1)
        /// The peer sent its last byte.
        public static let peerClosed = Flags(rawValue: 2)
        /// The kernel may hold bytes that were not read.
        public static let mayBeReadable = Flags(rawValue: 4)
        /// The connection was served by the worker that posts it, after it came there.
        public static let servedHere = Flags(rawValue: 8)

        static let all: Flags = [.sentContinue, .peerClosed, .mayBeReadable, .servedHere]
    }

    public var phase = Phase.idle
    /// The socket's other end, or the client that a PROXY header announced.
    public var peer: SocketAddress
    /// What a PROXY header said.
    public var route: ProxyHeader.Route?
    public var trust: PeerTrust = []
    /// The listener it came from (`ListenerSocket.identity`). Workers of another configuration may not have it.
    public var listener = Self.unknownListener
    /// Nobody's.
    public static let unknownListener: UInt64 = 0
    /// Requests begun on this connection.
    public var requestCount = 0
    /// How often it was posted since it was last served.
    public var hops = 0
    public var flags: Flags = []
    /// When the phase has lasted too long; 0 is never.
    public var deadline: Nanoseconds = 0
    /// When the request under way became complete, or its first byte came: its age, by which it is served. 0 when there
    /// is none.
    public var began: Nanoseconds = 0
    /// Bytes of the body since the deadline was set, which count towards the next (`Timeouts.progress`).
    public var recent = 0
    public var body = Body.unparsed
    /// Bytes of the body that are still to come; nil where its framing says it (`unparsed`), or there is none.
    public var remaining: Int?

    public init(peer: SocketAddress) {
        self.peer = peer
    }

    /// Descriptors that travel with it: the socket first, then the body's file if there is one.
    public var descriptorCount: Int {
        if case .file = body { 2 } else { 1 }
    }
}

/// Bytes that a parcel carries. They are borrowed, by who encodes from the connection's buffers, by who decodes from
/// the message.
public struct ParcelBytes {
    /// Received and not consumed: the PROXY header's beginning, or the request from its first byte to where `body`
    /// begins.
    public var received: UnsafeRawBufferPointer
    /// The body's bytes (`Parcel.Body.memory`).
    public var body: UnsafeRawBufferPointer
    /// What came behind a body that is complete: pipelined requests.
    public var rest: UnsafeRawBufferPointer

    public init(
        received: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        body: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        rest: UnsafeRawBufferPointer = .init(start: nil, count: 0)
    ) {
        self.received = received
        self.body = body
        self.rest = rest
    }

    var count: Int { received.count + body.count + rest.count }
}

/// Why a parcel could not be written or read.
public enum ParcelError: Error, Equatable, Sendable {
    /// More bytes than `Parcel.byteLimit`: the connection stays where it is.
    case tooLarge
    /// A number that the encoding has no room for: the connection stays where it is.
    case outOfRange
    /// A body or rest that does not go with the phase.
    case inconsistent
    /// The message ends before the parcel does.
    case truncated
    /// Bytes behind the parcel's end.
    case trailingBytes
    /// Not a parcel.
    case notAParcel
    /// A parcel of another version of Monoceros.
    case otherVersion(UInt8)
    /// A field that no parcel has.
    case malformed
    /// The descriptors that came are not those that the parcel names.
    case descriptorCount(expected: Int, came: Int)
}
