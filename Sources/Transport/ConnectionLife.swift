/// A connection's phase, and every way from one to another. Nothing else sets it.
///
/// ```
///   accept ──► idle ──► head ──► body ──► running ──► draining ──► idle | head | lingering | closed
///      │        ▲ │       │                ▲   │ ▲        ▲  └► discarding ─┘
///      │        │ └───────┴────────────────┘   ▼ │        └ only if the socket took less than all
///      └► preamble, with the PROXY protocol    held
/// ```
///
/// A request that is refused goes from where it was to draining. Where nothing was asked and nothing is answered, a
/// connection goes from preamble or idle to lingering. Every one ends in closed.
struct ConnectionLife {
    private(set) var phase: Phase

    /// A new connection.
    init(startsWithPreamble: Bool) {
        phase = startsWithPreamble ? .preamble(nil) : .idle
    }

    // MARK: Receiving

    /// Part of a PROXY header has come.
    mutating func keepPreamble(_ bytes: ByteStore) { move(to: .preamble(bytes)) }

    /// The PROXY header is complete, or there is none.
    mutating func endPreamble() { move(to: .idle) }

    /// Part of a head has come, or more of it.
    mutating func keepHead(_ head: PartialHead) { move(to: .head(head)) }

    /// The head is complete, and the body is not.
    mutating func beginBody(_ body: PartialBody) { move(to: .body(body)) }

    // MARK: Running

    /// A complete request goes to a runner: one that has just come, or one that was held.
    @inline(__always)
    mutating func run(_ request: RunningRequest) { move(to: .running(request)) }

    /// A complete request waits for a runner.
    mutating func hold(_ request: HeldRequest) { move(to: .held(request)) }

    @inline(__always)
    var isRunning: Bool {
        if case .running = phase { true } else { false }
    }

    /// Whether the request that runs came alone, its body, if it has one, with its head: nothing is left of it when its
    /// response is made.
    @inline(__always)
    var runsLoneRequest: Bool {
        guard case .running(let request) = phase, request.received == nil else { return false }
        return switch request.body {
        case .none, .inline: true
        case .memory, .file, .stream: false
        }
    }

    // MARK: After the response

    /// A response is made, or a refusal, and the socket has not taken all of it.
    mutating func drain(_ response: PartialResponse) { move(to: .draining(response)) }

    /// The response has left. `rest` is what has come of the next request; nobody has looked at it yet.
    @inline(__always)
    mutating func awaitNext(_ rest: ByteStore?) {
        if let rest { move(to: .head(PartialHead(bytes: rest))) } else { move(to: .idle) }
    }

    /// The response has left, and part of the body is still to come.
    mutating func discard(_ body: UnreadBody) { move(to: .discarding(body)) }

    /// Our last byte has left, or there is none to send.
    mutating func linger(_ farewell: Farewell) { move(to: .lingering(farewell)) }

    mutating func close() { move(to: .closed) }

    // MARK: The rule

    @inline(__always)
    private mutating func move(to next: Phase) {
        assert(Self.isLegal(from: phase.kind, to: next.kind), "from \(phase.kind) to \(next.kind)")
        phase = next
    }

    /// Whether one phase may follow another. A phase may follow itself where its data moves on.
    static func isLegal(from: Phase.Kind, to: Phase.Kind) -> Bool {
        switch from {
        case .preamble: [.preamble, .idle, .draining, .lingering, .closed].contains(to)
        case .idle: [.head, .body, .running, .draining, .lingering, .closed].contains(to)
        case .head: [.head, .body, .running, .draining, .closed].contains(to)
        case .body: [.running, .draining, .closed].contains(to)
        case .held: [.running, .closed].contains(to)
        case .running: [.held, .draining, .idle, .head, .discarding, .lingering, .closed].contains(to)
        case .draining: [.draining, .idle, .head, .discarding, .lingering, .closed].contains(to)
        case .discarding: [.discarding, .idle, .head, .lingering, .closed].contains(to)
        case .lingering: [.lingering, .closed].contains(to)
        case .closed: false
        }
    }
}
