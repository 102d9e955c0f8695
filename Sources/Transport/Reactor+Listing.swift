internal import HTTPServer
internal import HTTPWire
internal import Platform
public import Scheduling
internal import Telemetry

/// What others see of the exchanges that no runner has: requests that wait, and responses that their clients have not
/// taken yet. Those that runners have are in slots of their own (`Exchange.show`).
extension Reactor {
    /// Tells what waits here and what is being sent, where that changed, ten times a second at most. Before each poll.
    ///
    /// - Parameter milliseconds: how long the poll may last for other reasons.
    /// - Returns: how long it may last, so that others are told in time. Where nothing waits and nothing did, this is a
    ///   few loads.
    @inline(__always)
    public func showWaiting(before milliseconds: Int32, _ baton: borrowing Baton) -> Int32 {
        if held.isEmpty, toldResponses == 0, postponed.isEmpty, !isListed { return milliseconds }
        return showList(before: milliseconds)
    }

    @inline(never)
    private func showList(before milliseconds: Int32) -> Int32 {
        guard let sharing, listingState != sharing.listing.state else { return milliseconds }
        let next = sharing.listing.next
        guard now >= next else { return min(milliseconds, Int32(clamping: (next - now) / 1_000_000) + 1) }
        isListed = !held.isEmpty || !postponed.isEmpty || toldResponses > 0
        sharing.listing = Listing(state: listingState, next: now + Listing.interval)
        list(in: sharing.commons.cell)
        return milliseconds
    }

    private var listingState: Listing.State {
        Listing.State(
            requests: requestCount, held: held.count, postponed: postponed.count, responses: toldResponses,
            changes: toldChanges)
    }

    private func list(in cell: ScoreboardCell) {
        cell.list(waiting: held.count + postponed.count, responses: toldResponses) { rows in
            var left = ScoreboardLayout.listLimit
            for connection in held.prefix(left) where add(connection, to: &rows) { left -= 1 }
            for item in postponed.prefix(left) { _ = add(item.connection, to: &rows) }
            for connection in oldestResponses() { _ = add(connection, to: &rows) }
        }
    }

    private func oldestResponses() -> ArraySlice<Connection> {
        guard toldResponses > 0 else { return [] }
        // In this order: the label of a request that runs is its runner's.
        let all = connections.filter { $0.phase.kind == .draining && $0.label != nil }
        return all.sorted { $0.completed < $1.completed }.prefix(ScoreboardLayout.listLimit)
    }

    private func add(_ connection: Connection, to rows: inout ExchangeRows) -> Bool {
        connection.withListed { rows.add($0) } != nil
    }

    /// A connection is on its way to another worker.
    func notePosted(_ connection: Connection, in cell: ScoreboardCell, messageSize: Int) {
        let isTold = connection.withListed { exchange in
            var exchange = exchange
            exchange.phaseBegan = Clock.now()
            cell.notePosted(exchange, messageSize: messageSize)
        }
        guard isTold == nil else { return }
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        cell.notePosted(
            ListedExchange(
                phase: .none, method: .other, path: nothing, client: .unknown, number: 0, began: 0,
                phaseBegan: Clock.now()),
            messageSize: messageSize)
    }

    // MARK: Responses

    /// The application has returned, and the client has not taken all of the response.
    @inline(never)
    func beginTelling(_ connection: Connection) {
        connection.label?.since = now
        toldResponses += 1
        toldChanges &+= 1
    }

    @inline(never)
    func endTelling(_ connection: Connection) {
        connection.label = nil
        toldResponses -= 1
        toldChanges &+= 1
    }
}

/// What others were told last of what waits here.
struct Listing {
    /// Whatever changes the list changes one of these.
    struct State: Equatable {
        var requests = 0
        var held = 0
        var postponed = 0
        var responses = 0
        var changes = 0
    }

    var state = State()
    /// When they are told again at the earliest.
    var next: Nanoseconds = 0

    static let interval = Nanoseconds.milliseconds(100)
}

/// A request whose bytes are gone, while its response is being sent.
final class ExchangeLabel {
    let method: MethodClass
    let path: ByteStore
    /// When the application had returned, on the monotonic clock.
    var since: Nanoseconds = 0

    init(method: MethodClass, path: ByteStore) {
        self.method = method
        self.path = path
    }
}

extension Exchange {
    /// Copies what is told of the request while its response is being sent.
    @inline(never)
    func makeLabel() -> ExchangeLabel {
        // One byte more than is shown, so that it shows as cut.
        let path = bench.bytes(bench.parser.head.path).prefix(ScoreboardLayout.pathLimit + 1)
        return ExchangeLabel(
            method: MethodClass(bench.parser.head.knownMethod),
            path: ByteStore(UnsafeRawBufferPointer(rebasing: path)))
    }
}

extension Connection {
    /// What is told of its exchange where no runner has it.
    ///
    /// - Returns: nil, and `body` is not called, where it has none.
    func withListed<Result>(_ body: (ListedExchange) -> Result) -> Result? {
        switch phase {
        case .held(let request):
            let store = request.received.store
            let path = UnsafeRawBufferPointer(rebasing: store.bytes[request.path.offsets])
            return withExtendedLifetime(store) {
                body(listed(.waiting, request.method, path, since: request.since))
            }
        case .draining:
            guard let label else { return nil }
            return body(listed(.response, label.method, label.path.bytes, since: label.since))
        case .preamble, .idle, .head, .body, .running, .discarding, .lingering, .closed:
            return nil
        }
    }

    private func listed(
        _ phase: ExchangePhase, _ method: MethodClass, _ path: UnsafeRawBufferPointer, since: Nanoseconds
    ) -> ListedExchange {
        ListedExchange(
            phase: phase, method: method, path: path, client: ScoreboardClient(peer), number: session.requestCount,
            began: completed, phaseBegan: since)
    }
}
