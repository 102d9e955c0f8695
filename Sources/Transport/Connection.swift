public import Platform
public import ProxyWire
internal import Synchronization

/// A client's connection.
///
/// It always belongs to somebody. In `.running` that is the runner whose application it waits for: that thread alone reads
/// `body`, which may mean the socket, and sends, and the reactor notes in `edges` what it hears meanwhile. In every other phase it belongs to whoever
/// has the baton.
///
/// ```
///   accept ──► idle ──► head ──► body ──► held ──► running ──► draining ──► idle | lingering | closed
///      │        ▲ │       └────────────────────────▲              ▲  └► discarding ─┘
///      │        │ └── a whole request in one read ─┘              └ only if the socket took less than all
///      └► preamble, where the PROXY protocol is spoken
/// ```
public final class Connection {
    enum Phase {
        /// Waits for the PROXY header. Part of it may be in `input`.
        case preamble
        /// Between requests. Holds no memory.
        case idle
        /// Part of a head has come; it is in `input`.
        case head
        /// The head has come and is in `input`; part of the body has.
        case body(BodyReceipt)
        /// A whole request waits for a runner.
        case held
        /// A runner has it.
        case running
        /// The response is made; the rest of it waits for the socket. `unsent` is how many bytes the client had yet to take
        /// when the deadline was set; nil before there is one.
        case draining(persist: Bool, unsent: Int?)
        /// The response has left; the rest of the body, which the application did not read, is thrown away.
        case discarding(BodyStream, budget: Int)
        /// Nothing more is sent; what the client still sends is thrown away, so that it reads our last bytes before a reset.
        /// `mayBeReset`: it was still sending when the response was complete, so a close would do that.
        case lingering(budget: Int, mayBeReset: Bool)
        case closed
    }

    public let socket: Descriptor
    /// The other end of the socket, or the client that a PROXY header announced.
    public internal(set) var peer: SocketAddress
    /// What a PROXY header said.
    public internal(set) var proxyRoute: ProxyHeader.Route?
    /// The listener it came from: an index into the reactor's list.
    public let listener: Int
    /// The other end of the socket earned it, whomever it announces.
    let trust: PeerTrust
    /// Tells this connection from an earlier one with the same descriptor.
    let generation: UInt32

    var phase: Phase
    /// Whether the poller watches it. A connection that is closed after its first request never needs to be.
    var isWatched = false
    /// Whether the kernel may hold bytes that were not read: set by an edge, cleared by a short read.
    var mayBeReadable = true
    /// It waits in the reactor's list of connections to go on with.
    var isQueued = false
    /// The poller reported that the peer sent its last byte: a short read is then not the end of what there is to read.
    var peerClosed = false
    /// The poller reported that the connection is broken.
    var hungUp = false

    /// Received and not consumed: the request under way if it did not come in one piece, and what came after it.
    var input: ByteStore?
    /// How many of `input`'s first bytes belong to the request that runs.
    var consumed = 0
    /// Whether `input` has bytes that the parser has not seen since they came.
    var hasUnparsedInput = false

    /// When the present phase has lasted too long; 0 is never.
    var deadline: Nanoseconds = 0
    /// The wheel's slot that will look at it; 0 is none.
    var slot: UInt64 = 0

    /// The running request's body.
    public internal(set) var body = RequestBody.none
    /// What the socket has not taken. While a request runs it is for `Connection+Backlog.swift`, but for a response that is
    /// put in whole and waits for others (`isDeferred`); otherwise it is the reactor's.
    public var outbox = Outbox()
    /// Whether the outbox of a running request holds something: then runner and reactor share it.
    let backlog = Atomic<Bool>(false)
    let backlogLock = LockWord()
    /// Where the runner has its connection watched once there is a backlog.
    let poller: Poller
    /// The response is in the outbox as a whole, and may wait there for others (`Reactor.defersResponses`).
    public var isDeferred = false
    /// The running request's head said that no other follows it.
    var clientSaidClose = false
    /// Requests begun on this connection, this one included.
    public internal(set) var requestCount = 0

    init(
        socket: Descriptor, peer: SocketAddress, listener: Int, trust: PeerTrust, generation: UInt32, phase: Phase,
        poller: Poller
    ) {
        self.socket = socket
        self.poller = poller
        self.peer = peer
        self.listener = listener
        self.trust = trust
        self.generation = generation
        self.phase = phase
    }

    /// Nothing of a request, nor of what stands in front of it, has come.
    var awaitsRequest: Bool {
        switch phase {
        case .idle: true
        case .preamble: input == nil
        default: false
        }
    }

    /// Bytes of responses that the client has not taken: in the outbox, and in the kernel's send buffer, which may hold
    /// megabytes and reports room only once a good part of them has left.
    public var unsentByteCount: Int {
        backlogLock.lock()
        defer { backlogLock.unlock() }
        return outbox.count + socket.unsentByteCount()
    }

    /// What the poller gives back with this connection's events.
    var payload: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: socket.rawValue)) }
}

extension Connection {
    /// Whether the client of the running request has left. For the runner that has it; one system call.
    ///
    /// A client that closes its socket and one that just ends its sending half look the same until something is sent to them.
    /// The first is what browsers and proxies do with a request that is given up, so it is taken for that. A client that sent
    /// more requests before it ended is one that waits for their answers.
    public var clientHasLeft: Bool {
        switch socket.peerState() {
        case .present: false
        case .gone: true
        case .finishedSending: (input?.count ?? 0) <= consumed && !socket.hasUnreadBytes
        }
    }
}
