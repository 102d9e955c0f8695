public import HTTPServer
public import HTTPWire
public import Platform
public import ProxyWire
internal import Telemetry

/// One request and its response, in flight (RFC 9110 §3.4).
///
/// `Reactor.next` makes it of a complete request, one runner has it while the application runs, and `end` makes of it
/// what `Reactor.finish` takes back. It cannot be copied: while it is there, its connection is that runner's, and no
/// other thread reads the body, or sends.
///
/// It lends what it consists of and owns none of it: the connection goes back to the reactor, and the bench, which has
/// the request's bytes and the writer of the response, serves the next one.
public struct Exchange: ~Copyable {
    @usableFromInline let connection: Connection
    /// Not retained: it is a thread's for as long as there is one.
    @usableFromInline let workbench: Unmanaged<Workbench>
    public let body: RequestBody
    /// When it was handed out, on the monotonic clock.
    public let began: Nanoseconds

    @inline(__always)
    init(_ connection: Connection, _ request: RunningRequest, on bench: Workbench, began: Nanoseconds) {
        self.connection = connection
        workbench = .passUnretained(bench)
        self.body = request.body
        self.began = began
    }

    @inlinable @inline(__always)
    var bench: Workbench { workbench._withUnsafeGuaranteedRef { $0 } }

    // MARK: The request

    /// Ranges over ``request``.
    public var head: RequestHead {
        @inlinable @inline(__always) _read { yield bench.parser.head }
    }

    /// The head, and the body if that is inline.
    @inlinable public var request: UnsafeRawBufferPointer { bench.request }

    /// The bytes that a range of the head stands for. Valid until the exchange ends.
    @inlinable @inline(__always)
    public func bytes(_ range: ByteRange) -> UnsafeRawBufferPointer { bench.bytes(range) }

    /// The other end of the socket, or the client that a PROXY header announced.
    public var client: SocketAddress { connection.peer }

    /// What a PROXY header said.
    public var proxyRoute: ProxyHeader.Route? { connection.proxyRoute }

    /// Where the client connected: an index into the reactor's listeners, or their count for one of a former
    /// configuration.
    public var listener: Int { connection.listener }

    /// The socket's own end, as the kernel has it: a call of the system.
    public var localAddress: SocketAddress? { try? connection.channel.socket.localAddress() }

    /// What the response must know of the request.
    public var traits: RequestTraits {
        RequestTraits(
            isHead: bench.parser.head.knownMethod == .head, version: bench.parser.head.version,
            mayPersist: connection.session.mayPersist)
    }

    /// A number that requests of a kind share (`PromotionPolicy.kind`).
    @inlinable @inline(__always)
    public func kind(_ number: (UInt8, UnsafeRawBufferPointer) -> UInt32) -> UInt32 {
        number(bench.parser.head.knownMethod.rawValue, bench.bytes(bench.parser.head.path))
    }

    /// Which request of its connection it is, from 1.
    public var number: Int { connection.session.requestCount }

    // MARK: The response

    /// What the response has come to.
    public var writer: ResponseWriter {
        @inlinable @inline(__always) _read { yield bench.writer }
        @inlinable @inline(__always) nonmutating _modify { yield &bench.writer }
    }

    /// The way to the client, for the runner.
    @inlinable public var output: Connection { connection }

    /// The same, not retained. It lives until the exchange has ended.
    @inlinable @inline(__always)
    public var borrowedOutput: Unmanaged<Connection> { .passUnretained(connection) }

    // MARK: The end

    /// What became of it so far.
    public func record(at now: Nanoseconds) -> ExchangeRecord {
        var record = ExchangeRecord()
        record.client = ExchangeRecord.Client(connection.peer)
        record.line = RequestLine(bench.parser.head)
        record.began = began
        record.headComplete = began
        record.applicationBegan = began
        record.applicationReturned = now
        record.handedOver = now
        record.receivedCount = bench.parser.head.byteCount + (body.count ?? 0)
        record.note(bench.writer)
        record.sentCount -= connection.pendingOutputCount
        return record
    }

    /// Whether something of the response has not left yet.
    public var isLeaving: Bool { connection.hasOutput }

    /// Tells an observer of it: now, or where something of the response has not left yet, once that has. When the
    /// response is made, and before `end`.
    public func tell(_ observer: any ExchangeObserver, at now: Nanoseconds) {
        var record = record(at: now)
        record.noted = NotedFields(bench.parser.head)
        let head = UnsafeRawBufferPointer(rebasing: bench.request[..<bench.parser.head.byteCount])
        if connection.hasOutput {
            record.sentCount = bench.writer.handedCount - bench.writer.lostCount
            connection.departure = bench.departures.begin(
                record, head: head, response: bench.writer.headBytes, observer, budget: connection.outbox.budget)
        } else {
            record.wallSeconds = Clock.wallSeconds()
            observer.exchangeEnded(record, head: head, response: bench.writer.headBytes)
        }
    }

    /// The response is made, or given up: the bench is free for the next request.
    @inline(__always)
    public consuming func end() -> EndedExchange {
        var bodyIsSound = true
        if case .stream(let stream) = body { bodyIsSound = stream.fault == nil }
        let persists = connection.session.persists(
            responseLeavesOpen: bench.writer.leavesConnectionOpen, bodyIsSound: bodyIsSound)
        let method = MethodClass(bench.parser.head.knownMethod)
        let status = bench.writer.status
        let receivedCount = bench.parser.head.byteCount &+ (body.count ?? 0)
        let sentCount = bench.writer.handedCount &- bench.writer.lostCount
        if connection.isListed, connection.isOutputPending { connection.label = makeLabel() }
        bench.writer.end()
        connection.forgetClientWait()
        return EndedExchange(
            connection: connection, began: began, persists: persists, method: method, status: status,
            receivedCount: receivedCount, sentCount: sentCount)
    }
}

/// An exchange that is over, on its way back to the reactor.
public struct EndedExchange: @unchecked Sendable {
    // `@unchecked`: a connection changes hands here. Whoever makes this touches the connection no more.
    let connection: Connection
    /// When it was handed out, on the monotonic clock.
    public let began: Nanoseconds
    /// Whether the connection serves another request.
    var persists: Bool
    /// For the scoreboard.
    var method = MethodClass.other
    var status = 0
    var receivedCount = 0
    var sentCount = 0

    /// Has a response leave at once that was to wait for others: for a runner that cannot tell when they come.
    public func sendDeferred() { connection.sendDeferred() }
}

extension ExchangeRecord.Client {
    init(_ address: SocketAddress) {
        switch address {
        case .ipv4(let address, let port): self = .ipv4(address, port: port)
        case .ipv6(let address, let port): self = .ipv6(address, port: port)
        case .unix: self = .unix
        }
    }
}
