public import HTTPWire
public import Platform
public import ProxyWire

/// What the reactor is told once, before it starts.
public struct TransportConfiguration: Sendable {
    public var policy: RequestPolicy
    /// Whether connections start with a PROXY header; nil where they start with HTTP.
    public var proxyMode: ProxyMode?
    public var body: BodyLimits
    public var timeouts: Timeouts
    /// The most connections at a time; past it, accepting pauses (`worker_connections`).
    public var maximumConnections: Int
    /// How many connections one listener's turn accepts: few where other processes accept from the same listener.
    public var acceptBatch: Int
    /// Whether other processes accept from the same listeners: a busy worker then leaves new connections to them for a
    /// moment.
    public var sharesListeners: Bool
    /// Whether the application runs when the head is complete, and reads the body itself (`stream_request_body`).
    public var streamsBodies: Bool
    /// The most bytes of clients in memory; nil for any number (`buffer_memory`).
    public var bufferMemory: Int?
    /// What the files of all workers may have together (`spool_limit`).
    public var spoolAllowance: SpoolAllowance
    /// How long, in all, a runner may wait for its client while others wait for a runner; 0 is for ever
    /// (`response_wait`).
    public var responseWait: Nanoseconds
    /// Who gives way where all places are taken.
    public var crowd = CrowdRule.patient
    /// Whether responses may leave a connection open (`keepalive` above 0).
    public var keepsAlive: Bool { timeouts.idle > 0 }

    public init(
        policy: RequestPolicy, proxyMode: ProxyMode?, body: BodyLimits, timeouts: Timeouts, maximumConnections: Int,
        acceptBatch: Int, sharesListeners: Bool, streamsBodies: Bool, bufferMemory: Int?,
        spoolAllowance: SpoolAllowance, responseWait: Nanoseconds
    ) {
        self.policy = policy
        self.proxyMode = proxyMode
        self.body = body
        self.timeouts = timeouts
        self.maximumConnections = maximumConnections
        self.acceptBatch = acceptBatch
        self.sharesListeners = sharesListeners
        self.streamsBodies = streamsBodies
        self.bufferMemory = bufferMemory
        self.spoolAllowance = spoolAllowance
        self.responseWait = responseWait
    }
}

/// Who gives way, and how soon, where all places are taken.
public enum CrowdRule: Sendable {
    /// As clients may expect it: one in the middle of its work is not cut off between two requests, and whoever is
    /// taking a response has the time that it may take.
    case patient
    /// As it is right where answers are short and few have reason to ask: whoever makes no progress for a moment gives
    /// way, in the middle of a response too.
    case brisk

    /// How long a client has to have made no progress before it may lose its place, in nanoseconds.
    ///
    /// - Parameter isInRequest: whether it is in the middle of a request or a response. A client that means to ask has
    ///   its request on the way with its connection, and one whose connection ends between two requests makes another.
    func leastWait(isInRequest: Bool) -> Nanoseconds {
        switch self {
        case .patient: .seconds(1)
        case .brisk: isInRequest ? .milliseconds(20) : .milliseconds(1)
        }
    }
}

/// What a peer's word counts for, decided once, when its connection is accepted.
public struct PeerTrust: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Its fields may name the scheme and the mount point (`forwarded_allow_ips`).
    public static let forwarding = PeerTrust(rawValue: 1)
    /// It may send a PROXY header (`proxy_allow_ips`).
    public static let announcing = PeerTrust(rawValue: 2)
}

/// How long a client may take. Nanoseconds; 0 is for ever, except for `idle`.
public struct Timeouts: Sendable {
    /// From a request's first byte, or a new connection's accept, to the end of its head (`request_head_timeout`).
    public var head: Nanoseconds
    /// Between two requests (`keepalive`); 0 closes after each response.
    public var idle: Nanoseconds
    /// In which a client must send `progress` of a request body, or the rest of it (`request_body_timeout`).
    public var body: Nanoseconds
    /// In which a client must take `progress` of a response, or the rest of it (`response_write_timeout`).
    public var write: Nanoseconds
    /// For the client to close after our last byte.
    public var linger: Nanoseconds = .seconds(2)

    /// Bytes that count as progress of a body or a response. A byte now and then, which costs an attacker nothing, must
    /// not hold a connection for ever; what any honest line carries in half a minute is enough.
    public static let progress = 1024

    public init(head: Nanoseconds, idle: Nanoseconds, body: Nanoseconds, write: Nanoseconds) {
        self.head = head
        self.idle = idle
        self.body = body
        self.write = write
    }
}

/// A listening socket as the reactor sees it. Its place in the list names it (`Connection.listener`).
public struct ListenerSocket: Sendable {
    public let descriptor: Descriptor
    /// What all workers know it by, also those of another configuration: the socket's inode number. That of its
    /// descriptor would be another listener's once this one is closed.
    public let identity: UInt64
    /// No other process has it: what waits in its backlog is lost when it is closed.
    public let isOwn: Bool

    public init(descriptor: Descriptor) {
        self.descriptor = descriptor
        identity = descriptor.inode ?? Parcel.unknownListener
        isOwn = false
    }

    /// A listener of this process alone.
    ///
    /// - Parameter shared: one at the same address that all workers have; it stands for this one when a connection
    ///   travels.
    public init(own descriptor: Descriptor, beside shared: Descriptor) {
        self.descriptor = descriptor
        identity = shared.inode ?? Parcel.unknownListener
        isOwn = true
    }
}
