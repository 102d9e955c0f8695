internal import HTTPServer
internal import Platform
internal import ProxyWire
internal import Synchronization

/// A client's connection.
///
/// It always belongs to somebody. In `.running` that is the runner whose application it waits for: that thread alone
/// reads the body, which may mean the socket, and sends. What the reactor hears of it meanwhile it notes in
/// `mayBeReadable`, `peerClosed` and `hungUp`, which the runner does not look at. In every other phase it belongs to
/// whoever has the baton.
public final class Connection {
    /// The way to the client.
    let channel: Channel
    /// The other end of the socket, or the client that a PROXY header announced.
    var peer: SocketAddress
    /// What a PROXY header said.
    var proxyRoute: ProxyHeader.Route?
    /// The listener it came from: an index into the reactor's list, or the list's count if it is none of these. It was
    /// accepted by a worker of another configuration then.
    let listener: Int
    /// The other end of the socket earned it, whomever it announces.
    let trust: PeerTrust
    /// Tells this connection from an earlier one with the same descriptor.
    let generation: UInt32

    /// Where it stands. While a request runs nobody changes it, so that its runner may read it.
    var life: ConnectionLife

    // What was heard of the socket. It may come in any phase.

    /// Whether the poller watches it. A connection that is closed after its first request never needs to be.
    var isWatched = false
    /// Whether the kernel may hold bytes that were not read: set by an edge, cleared by a short read.
    var mayBeReadable = true
    /// The poller reported that the peer sent its last byte: a short read is then not the end of what there is to read.
    var peerClosed = false
    /// The poller reported that the connection is broken.
    var hungUp = false

    /// Whether what becomes of it is told on the scoreboard.
    let isListed: Bool
    /// How often it went to another worker since it was served.
    var hops: UInt8 = 0
    /// When the request under way was complete, on the monotonic clock: its age, wherever it goes.
    var completed: Nanoseconds = 0

    /// What is told of its request while the response is being sent: only where the socket did not take all at once.
    var label: ExchangeLabel?

    /// Its application has taken the socket: nothing is read or sent any more.
    var isSurrendered = false
    /// It waits in the reactor's list of connections to go on with.
    var isQueued = false
    /// When the present phase has lasted too long; 0 is never.
    var deadline: Nanoseconds = 0
    /// The wheel's slot that will look at it; 0 is none.
    var slot: UInt64 = 0

    /// What the socket has not taken. While a request runs it is for `Connection+Output.swift`, otherwise for the
    /// reactor.
    var outbox: Outbox
    /// Whose the outbox of a running request is.
    let outputState = Atomic<OutputState>(.clear)
    let outputLock = LockWord()
    /// The disk's thread may be sending on the socket, which must not be closed before it is done. Set under the lock
    /// of the output, and cleared by the disk's thread before it says that its job is done: the next one may be made
    /// before the connection has come back from this one.
    let isSocketAtDisk = Atomic<Bool>(false)
    /// It is closed, but for its socket, which is at the disk. For whoever has the baton.
    var owesClose = false
    /// What there is to tell when the response has left. The runner's while a request runs, as the life is.
    var departure: Departure?
    /// Where what waits goes once it is too much for memory.
    let spool: Spool
    /// Its request's body in a file, or on its way there, where it was to travel.
    var bodyCopy: BodyCopy?
    /// What of the worker's memory its request has.
    var memoryCharge = MemoryCharge()
    /// How long its runner has waited for the client, in nanoseconds, and since when it waits: 0 while it does not.
    let clientWait = Atomic<UInt64>(0)
    let clientWaitBegan = Atomic<UInt64>(0)
    /// Where the runner has its connection watched once something waits for the socket.
    let poller: Poller

    /// What it remembers from one exchange to the next.
    var session: HTTP1Session

    init(
        channel: Channel, peer: SocketAddress, listener: Int, trust: PeerTrust, generation: UInt32,
        life: ConnectionLife, session: HTTP1Session, poller: Poller, spool: Spool, memory: MemoryBudget,
        isListed: Bool = false
    ) {
        outbox = Outbox(budget: memory)
        self.spool = spool
        self.channel = channel
        self.poller = poller
        self.isListed = isListed
        self.peer = peer
        self.listener = listener
        self.trust = trust
        self.generation = generation
        self.life = life
        self.session = session
    }

    @inline(__always)
    var phase: Phase { life.phase }

    /// Nothing of a request, nor of what stands in front of it, has come.
    var awaitsRequest: Bool {
        switch life.phase {
        case .idle, .preamble(nil): true
        default: false
        }
    }

    /// What the poller gives back with this connection's events.
    var payload: UInt64 { ConnectionTable.payload(generation: generation, number: channel.socket.rawValue) }

    /// What the poller tells of a connection: edges, each of them once.
    static var watchedEvents: PollEvents { [.readable, .writable, .peerClosed, .edgeTriggered] }
}

extension Connection {
    /// Whether the client of the running request has left. For the runner that has it; one system call.
    ///
    /// A client that closes its socket and one that just ends its sending half look the same until something is sent to
    /// them. The first is what browsers and proxies do with a request that is given up, so it is taken for that. A
    /// client that sent more requests before it ended is one that waits for their answers.
    public var clientHasLeft: Bool {
        switch channel.peerState {
        case .present: false
        case .gone: true
        case .finishedSending: !hasRest && !channel.hasUnreadBytes
        }
    }

    /// Whether something has come behind the running request.
    private var hasRest: Bool {
        if case .running(let request) = life.phase { request.received?.hasRest ?? false } else { false }
    }
}
