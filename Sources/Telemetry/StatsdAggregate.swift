/// What a worker tells statsd, gathered between two sendings: gunicorn sends three datagrams for each request, on its
/// way.
///
/// Counters are sums. Durations are told one by one up to a bound; beyond it a fair sample of them is, with its rate,
/// which is what statsd has rates for. It belongs to whoever has the baton.
public struct StatsdAggregate: Sendable {
    /// Levels of log lines that are counted.
    public enum Level: UInt8, CaseIterable, Sendable {
        case critical, error, warning, exception

        var name: StaticString {
            switch self {
            case .critical: "gunicorn.log.critical"
            case .error: "gunicorn.log.error"
            case .warning: "gunicorn.log.warning"
            case .exception: "gunicorn.log.exception"
            }
        }
    }

    /// Durations that are told one by one.
    static let sampleLimit = 256

    private var requests: UInt64 = 0
    /// By status, from 100 to 599.
    private var statuses = [UInt32](repeating: 0, count: 500)
    /// Microseconds.
    private var durations: [UInt64] = []
    private var logLines = [UInt64](repeating: 0, count: Level.allCases.count)
    private var random: UInt64

    /// - Parameter seed: any number; another one for each worker.
    public init(seed: UInt64 = 1) {
        random = seed
        durations.reserveCapacity(Self.sampleLimit)
    }

    public var isEmpty: Bool { requests == 0 && logLines.allSatisfy { $0 == 0 } }

    /// An exchange is over.
    ///
    /// - Parameters:
    ///   - status: 0 when none was sent: it is counted as a request alone.
    ///   - duration: nanoseconds.
    public mutating func record(status: Int, duration: UInt64) {
        requests &+= 1
        if (100..<600).contains(status) { statuses[status - 100] &+= 1 }
        let microseconds = duration / 1000
        if durations.count < Self.sampleLimit {
            durations.append(microseconds)
            return
        }
        // Vitter's algorithm R: each of `requests` is kept with the same probability.
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let place = (random >> 33) % requests
        if place < UInt64(Self.sampleLimit) { durations[Int(place)] = microseconds }
    }

    public mutating func count(_ level: Level, _ count: Int = 1) {
        logLines[Int(level.rawValue)] &+= UInt64(max(0, count))
    }

    /// Writes everything as lines, and begins again.
    ///
    /// - Parameters:
    ///   - limit: bytes of a datagram. Lines are put together, with line feeds between, as long as they fit; 0 sends
    ///     each alone, as gunicorn does. 1,432 is what an Ethernet carries.
    ///   - buffer: for the datagrams; empty afterwards.
    ///   - send: takes a datagram. What it cannot send is lost, as everything in statsd may be.
    public mutating func flush(
        _ format: StatsdFormat, limit: Int, buffer: inout TextBuffer, send: (UnsafeRawBufferPointer) -> Void
    ) {
        buffer.removeAll()
        let packer = StatsdPacker(limit: limit)
        for microseconds in durations {
            packer.line(&buffer, send) {
                format.write("gunicorn.request.duration", .timer, to: &$0) { $0.append(millisecondsOf: microseconds) }
                if requests > UInt64(durations.count) {
                    $0.append("|@")
                    // Six digits, and never 0.
                    let rate = max(1, UInt64(durations.count) * 1_000_000 / requests)
                    $0.append("0.")
                    $0.append(rate, digits: 6)
                }
                $0.append(format.tags)
            }
        }
        func counter(_ name: StaticString, _ suffix: Int?, _ count: UInt64) {
            guard count > 0 else { return }
            packer.line(&buffer, send) {
                $0.append(format.prefix)
                $0.append(name)
                if let suffix { $0.append(suffix) }
                $0.append(UInt8(ascii: ":"))
                $0.append(count)
                $0.append(StatsdFormat.Kind.counter.suffix)
                $0.append(format.tags)
            }
        }
        counter("gunicorn.requests", nil, requests)
        for status in statuses.indices { counter("gunicorn.request.status.", status + 100, UInt64(statuses[status])) }
        for level in Level.allCases { counter(level.name, nil, logLines[Int(level.rawValue)]) }
        packer.finish(&buffer, send)

        requests = 0
        durations.removeAll(keepingCapacity: true)
        for index in statuses.indices where statuses[index] != 0 { statuses[index] = 0 }
        for index in logLines.indices { logLines[index] = 0 }
    }
}

/// Puts lines into datagrams.
public struct StatsdPacker {
    private let limit: Int

    /// - Parameter limit: as in `StatsdAggregate.flush`.
    public init(limit: Int) { self.limit = limit }

    /// Adds a line. What no longer fits goes out first.
    public func line(
        _ buffer: inout TextBuffer, _ send: (UnsafeRawBufferPointer) -> Void, _ write: (inout TextBuffer) -> Void
    ) {
        let before = buffer.count
        if before > 0 { buffer.append(UInt8(ascii: "\n")) }
        let start = buffer.count
        write(&buffer)
        guard before > 0, buffer.count > limit else { return }
        send(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<before]))
        buffer.removeFirst(start)
    }

    /// Sends what is left.
    public func finish(_ buffer: inout TextBuffer, _ send: (UnsafeRawBufferPointer) -> Void) {
        if buffer.count > 0 { send(buffer.bytes) }
        buffer.removeAll()
    }
}
