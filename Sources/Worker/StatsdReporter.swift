internal import HTTPServer
public import Platform
public import Telemetry

/// A worker's metrics on their way to statsd: each thread counts, and the pilot sends once a second.
public final class StatsdReporter: @unchecked Sendable {
    // `@unchecked`: `tallies` is complete before the threads start; `buffer` is for who sends, which is the pilot, and
    // the main thread when the pilot has left: `sending` keeps them apart.
    private let format: StatsdFormat
    private let socket: Descriptor
    /// Whose queues are told of (`enable_backlog_metric`).
    private let listeners: [Descriptor]
    private var tallies: [StatsdTally] = []
    private var buffer = TextBuffer(capacity: 4096)
    private let sending = LockWord()

    /// Bytes of a datagram: what an Ethernet carries.
    private static let datagramSize = 1432

    /// - Parameters:
    ///   - socket: connected to the server; datagrams that it does not take at once are lost.
    ///   - listeners: whose queues are told of; none where they are not.
    public init(format: StatsdFormat, socket: Descriptor, listeners: [Descriptor]) {
        self.format = format
        self.socket = socket
        self.listeners = listeners
    }

    /// One for each thread that ends exchanges. Before there are threads.
    func makeTally() -> StatsdTally {
        let tally = StatsdTally(seed: UInt64(tallies.count + 1) &* UInt64(Process.id))
        tallies.append(tally)
        return tally
    }

    /// Sends what was counted since the last time.
    func send() {
        sending.lock()
        defer { sending.unlock() }
        for tally in tallies {
            guard var aggregate = tally.take() else { continue }
            aggregate.flush(format, limit: Self.datagramSize, buffer: &buffer) { _ = try? socket.sendNow($0) }
            tally.giveBack(aggregate)
        }
        let waiting = listeners.compactMap(\.acceptQueueLength)
        guard !waiting.isEmpty else { return }
        buffer.removeAll()
        format.write("gunicorn.backlog", "\(waiting.reduce(0, +))", .histogram, to: &buffer)
        _ = try? socket.sendNow(buffer.bytes)
        buffer.removeAll()
    }
}

/// What one thread counts.
final class StatsdTally: ExchangeObserver, @unchecked Sendable {
    // `@unchecked`: the counts are for who holds the lock.
    private let word = LockWord()
    private var current: StatsdAggregate
    private var spare: StatsdAggregate?

    init(seed: UInt64) {
        current = StatsdAggregate(seed: seed)
        spare = StatsdAggregate(seed: seed &+ 1)
    }

    func exchangeEnded(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer
    ) {
        count(record)
    }

    func remember(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer,
        in note: inout [UInt8]
    ) {}

    func exchangeLeft(_ record: borrowing ExchangeRecord, note: UnsafeRawBufferPointer) { count(record) }

    private func count(_ record: borrowing ExchangeRecord) {
        word.lock()
        current.record(status: record.status, duration: record.duration)
        word.unlock()
    }

    /// What was counted, if anything was. It goes on with an empty one.
    func take() -> StatsdAggregate? {
        word.lock()
        defer { word.unlock() }
        guard !current.isEmpty, let empty = spare.take() else { return nil }
        defer { current = empty }
        return current
    }

    func giveBack(_ aggregate: StatsdAggregate) { spare = aggregate }
}
