import HTTPServer
import HTTPWire
import Platform
import Telemetry
import Testing

@testable import Transport

/// Every way of a connection from one phase to another, and what it carries along.
@Suite struct ConnectionLifeTests {
    private let bytes = ByteStore()
    private let receipt = BodyReceipt(length: 5, now: 0)
    private let running: RunningRequest
    /// The stream's: what that reads does not matter here.
    private let owner: Connection
    private let stream: BodyStream

    init() throws {
        running = RunningRequest(
            body: .inline(offset: 1, count: 2), received: ReceivedBytes(store: bytes, requestCount: 0))
        owner = Connection(
            channel: Channel(socket: Descriptor(rawValue: -1)), peer: .unix(path: ""), listener: 0, trust: [],
            generation: 1, life: ConnectionLife(startsWithPreamble: false), session: HTTP1Session(keepsAlive: true),
            poller: try Poller(capacity: 1), spool: .forTests(), memory: MemoryBudget(limit: nil))
        stream = BodyStream(
            of: owner, framing: .length(5), early: UnsafeRawBufferPointer(start: nil, count: 0),
            policy: RequestPolicy(), timeout: 0)
    }

    @Test func aLoneRequestLeavesNothing() {
        let received = ReceivedBytes(store: bytes, requestCount: 0)
        func isLone(_ request: RunningRequest) -> Bool {
            var life = ConnectionLife(startsWithPreamble: false)
            #expect(!life.isRunning && !life.runsLoneRequest)
            life.run(request)
            #expect(life.isRunning)
            return life.runsLoneRequest
        }
        #expect(isLone(RunningRequest(body: .none, received: nil)))
        #expect(isLone(RunningRequest(body: .inline(offset: 1, count: 2), received: nil)))
        #expect(!isLone(RunningRequest(body: .none, received: received)))
        #expect(!isLone(RunningRequest(body: .memory(bytes), received: nil)))
        #expect(!isLone(RunningRequest(body: .stream(stream), received: nil)))
    }

    /// A life that has come to a phase by legal ways alone.
    private static func held(_ bytes: ByteStore) -> HeldRequest {
        HeldRequest(
            received: ReceivedBytes(store: bytes, requestCount: 3), body: .none, since: 0, method: .get, path: .empty)
    }

    private func life(in kind: Phase.Kind) -> ConnectionLife {
        var life = ConnectionLife(startsWithPreamble: kind == .preamble)
        switch kind {
        case .preamble, .idle: break
        case .head: life.keepHead(PartialHead(bytes: bytes))
        case .body: life.beginBody(PartialBody(head: bytes, receipt: receipt))
        case .running: life.run(running)
        case .held:
            life.run(running)
            life.hold(Self.held(bytes))
        case .draining:
            life.run(running)
            life.drain(PartialResponse(sequel: .next(nil), unsent: nil))
        case .discarding:
            life.run(running)
            life.discard(UnreadBody(stream: stream, budget: 9))
        case .lingering: life.linger(Farewell(budget: 1, mayBeReset: true))
        case .closed: life.close()
        }
        return life
    }

    /// All of them. What is not here is a mistake of the reactor's.
    private static let ways: [Phase.Kind: Set<Phase.Kind>] = [
        .preamble: [.preamble, .idle, .draining, .lingering, .closed],
        .idle: [.head, .body, .running, .draining, .lingering, .closed],
        .head: [.head, .body, .running, .draining, .closed],
        .body: [.running, .draining, .closed],
        .held: [.running, .closed],
        .running: [.held, .draining, .idle, .head, .discarding, .lingering, .closed],
        .draining: [.draining, .idle, .head, .discarding, .lingering, .closed],
        .discarding: [.discarding, .idle, .head, .lingering, .closed],
        .lingering: [.lingering, .closed],
        .closed: [],
    ]

    @Test(arguments: Phase.Kind.allCases) func aPhaseIsFollowedByTheseAndNoOthers(kind: Phase.Kind) {
        #expect(life(in: kind).phase.kind == kind)
        for next in Phase.Kind.allCases {
            #expect(
                ConnectionLife.isLegal(from: kind, to: next) == Self.ways[kind]?.contains(next), "\(kind) to \(next)")
        }
    }

    /// Every way, gone by the method whose it is.
    @Test(arguments: Phase.Kind.allCases) func eachWayHasItsMethod(kind: Phase.Kind) throws {
        for next in try #require(Self.ways[kind]) {
            var life = life(in: kind)
            switch next {
            case .preamble: life.keepPreamble(bytes)
            case .idle: if kind == .preamble { life.endPreamble() } else { life.awaitNext(nil) }
            case .head:
                let isFollowUp = kind == .running || kind == .draining || kind == .discarding
                if isFollowUp { life.awaitNext(bytes) } else { life.keepHead(PartialHead(bytes: bytes)) }
            case .body: life.beginBody(PartialBody(head: bytes, receipt: receipt))
            case .held:
                life.hold(Self.held(bytes))
            case .running: life.run(running)
            case .draining: life.drain(PartialResponse(sequel: .end(hasRest: false, isExpected: false), unsent: 4))
            case .discarding: life.discard(UnreadBody(stream: stream, budget: 2))
            case .lingering: life.linger(Farewell(budget: 6, mayBeReset: false))
            case .closed: life.close()
            }
            #expect(life.phase.kind == next)
            #expect(carries(life.phase), "from \(kind)")
        }
    }

    /// Whether a phase has the data that `eachWayHasItsMethod` gave it.
    private func carries(_ phase: Phase) -> Bool {
        switch phase {
        case .preamble(let start): start === bytes
        case .idle, .closed: true
        case .head(let head): head.bytes === bytes && head.progress == HeadProgress()
        case .body(let body): body.head === bytes && body.receipt === receipt
        case .held(let request): request.received.store === bytes && request.received.requestCount == 3
        case .running(let request):
            request.body.count == 2 && request.received?.store === bytes
        case .draining(let response): response.unsent == 4
        case .discarding(let body): body.stream === stream && body.budget == 2
        case .lingering(let farewell): farewell.budget == 6 && !farewell.mayBeReset
        }
    }

    // MARK: What goes along

    private func store(_ text: String) -> ByteStore { Array(text.utf8).withUnsafeBytes { ByteStore($0) } }

    private func text(_ store: ByteStore?) -> String? { store.map { String(decoding: $0.bytes, as: UTF8.self) } }

    @Test func whatCameBehindARequestIsLeftAfterIt() {
        let both = ReceivedBytes(store: store("onetwo"), requestCount: 3)
        #expect(both.hasRest)
        #expect(text(both.takeRest()) == "two")
        let alone = ReceivedBytes(store: store("one"), requestCount: 3)
        #expect(!alone.hasRest)
        #expect(alone.takeRest() == nil)
        // The request's own bytes are on the bench.
        #expect(text(ReceivedBytes(store: store("two"), requestCount: 0).takeRest()) == "two")
    }

    @Test func atTheEndNothingFollowsAResponse() {
        func end(_ sequel: Sequel) -> [Bool]? {
            guard case .end(let hasRest, let isExpected) = sequel.ending else { return nil }
            return [hasRest, isExpected]
        }
        #expect(end(.next(nil)) == [false, false])
        #expect(end(.next(store("x"))) == [true, false])
        #expect(end(.discard(stream)) == [true, false])
        #expect(end(.end(hasRest: false, isExpected: true)) == [false, true])
    }
}
