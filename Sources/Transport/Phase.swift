internal import HTTPWire
internal import Platform
internal import Telemetry

/// Where a connection stands, with just the data that this needs.
enum Phase {
    /// Waits for the PROXY header; what has come of it.
    case preamble(ByteStore?)
    /// Between requests. Holds no memory.
    case idle
    /// Part of a head has come.
    case head(PartialHead)
    /// The head has come, and not all of the body.
    case body(PartialBody)
    /// A whole request waits for a runner.
    case held(HeldRequest)
    /// A runner has it.
    case running(RunningRequest)
    /// The response is made; the rest of it waits for the socket.
    case draining(PartialResponse)
    /// The response has left; the rest of the body, which the application did not read, is thrown away.
    case discarding(UnreadBody)
    /// Nothing more is sent; what the client still sends is thrown away, so that it reads our last bytes before a
    /// reset.
    case lingering(Farewell)
    case closed

    /// The case without its data.
    enum Kind: UInt8, CaseIterable {
        case preamble, idle, head, body, held, running, draining, discarding, lingering, closed
    }

    var kind: Kind {
        switch self {
        case .preamble: .preamble
        case .idle: .idle
        case .head: .head
        case .body: .body
        case .held: .held
        case .running: .running
        case .draining: .draining
        case .discarding: .discarding
        case .lingering: .lingering
        case .closed: .closed
        }
    }
}

/// The beginning of a request, up to anywhere before the end of its head.
struct PartialHead {
    let bytes: ByteStore
    /// How far the parser has looked. Nothing of a pipelined request that came with the one before.
    var progress = HeadProgress()
}

/// A whole head, and a body on its way.
struct PartialBody {
    /// The head alone.
    let head: ByteStore
    let receipt: BodyReceipt
}

/// A request's bytes in memory of the connection's own, and behind them what the client sent after it.
struct ReceivedBytes {
    let store: ByteStore
    /// How many of the first bytes are the request's: its head, and its body if that is inline. 0 where the bench has
    /// them.
    let requestCount: Int

    /// Whether something of the next request has come.
    var hasRest: Bool { store.count > requestCount }

    /// The request is over: what is left, if anything is.
    func takeRest() -> ByteStore? {
        guard hasRest else { return nil }
        if requestCount > 0 { store.removeFirst(requestCount) }
        return store
    }
}

/// A whole request that no bench has.
struct HeldRequest {
    let received: ReceivedBytes
    let body: RequestBody
    /// When it came to wait, on the monotonic clock.
    let since: Nanoseconds
    /// What is told of it while it waits; the path is a range over the request's bytes.
    let method: MethodClass
    let path: ByteRange
}

/// A request in the application.
struct RunningRequest {
    let body: RequestBody
    /// Nil where it came in one read, with nothing behind it.
    let received: ReceivedBytes?
}

/// A response of which the socket has not taken all.
struct PartialResponse {
    let sequel: Sequel
    /// How many bytes the client had yet to take when the deadline was set; nil before there is one.
    var unsent: Int?
}

/// What follows a response on its connection.
enum Sequel {
    /// The next request; what has come of it.
    case next(ByteStore?)
    /// The next request, behind the rest of a body that the application did not read.
    case discard(BodyStream)
    /// Nothing. `hasRest`: more has come from the client, which is not served. `isExpected`: it said that it sends no
    /// more.
    case end(hasRest: Bool, isExpected: Bool)

    /// The same where no other request is served.
    var ending: Sequel {
        switch self {
        case .next(let rest): .end(hasRest: rest != nil, isExpected: false)
        case .discard: .end(hasRest: true, isExpected: false)
        case .end: self
        }
    }
}

/// The rest of a body, to be thrown away.
struct UnreadBody {
    let stream: BodyStream
    /// Bytes that this is worth.
    var budget: Int
}

/// What a client may still send after our last byte.
struct Farewell {
    /// Bytes.
    var budget: Int
    /// It was still sending when the response was complete: a close would send it a reset.
    let mayBeReset: Bool
}
