/// A scoreboard as it was read: plain values, each of them true at some moment of the reading.
public struct ScoreboardSnapshot: Equatable, Sendable {
    public var arbiterProcess: Int32
    /// Seconds since 1970 (UTC).
    public var started: Int64
    public var generation: UInt64
    /// The arbiter's last sign of life: the monotonic clock, nanoseconds.
    public var heartbeat: UInt64
    public var workersWanted: Int
    public var reloads: UInt64
    public var workerStarts: UInt64
    /// By `WorkerEnd`.
    public var workerEnds: [UInt64]
    /// Cells that are somebody's.
    public var workers: [WorkerSnapshot]
    /// The slowest requests of the last minute and before, of all workers that are and were, in no order.
    public var slowest: [SlowExchange]
    /// Requests on the relay, on their way to whichever worker has a runner free first, and how many more there are,
    /// about.
    public var relayed: [ExchangeSnapshot]
    public var relayedUnlisted: Int
    /// Of all workers that are and were. None of them ever goes back.
    public var total: CounterSnapshot
}

public struct WorkerSnapshot: Equatable, Sendable {
    public var cell: Int
    /// 0 until the worker has opened its cell.
    public var process: Int32
    public var generation: UInt64
    public var presence: ScoreboardPresence
    /// Seconds since 1970 (UTC).
    public var started: Int64
    /// The monotonic clock, nanoseconds.
    public var booted: UInt64
    public var heartbeat: UInt64
    /// By `ConnectionClass`.
    public var connections: [Int]
    public var spoolBytes: Int
    public var bufferBytes: Int
    public var counters: CounterSnapshot
    /// Exchanges under way, those without a runner included.
    public var exchanges: [ExchangeSnapshot]
    /// Requests that wait for a runner, and responses that their clients have not taken yet. Not all of them are among
    /// the exchanges.
    public var waiting: Int
    public var responses: Int
    /// Slots that changed faster than they could be read, or whose worker died while it wrote.
    public var unreadableSlots: Int
}

/// An exchange under way.
public struct ExchangeSnapshot: Equatable, Sendable {
    /// Nil where no runner has it.
    public var slot: Int?
    public var phase: ExchangePhase
    public var method: MethodClass
    /// The first `ScoreboardLayout.pathLimit` bytes.
    public var path: [UInt8]
    /// Bytes of the whole path.
    public var pathByteCount: Int
    public var client: ScoreboardClient
    /// The kernel's number of the thread; 0 where no runner has it.
    public var thread: Int32
    /// Of the request on its connection.
    public var number: Int
    /// The monotonic clock, nanoseconds.
    public var began: UInt64
    public var phaseBegan: UInt64
    /// Since when the application waits for its client; nil where it does not.
    public var clientWaitBegan: UInt64?
}

/// A request that took long, and is over.
public struct SlowExchange: Equatable, Sendable {
    public var method: MethodClass
    /// The first `ScoreboardLayout.pathLimit` bytes.
    public var path: [UInt8]
    public var pathByteCount: Int
    public var client: ScoreboardClient
    /// 0 when none was sent.
    public var status: Int
    /// Nanoseconds.
    public var duration: UInt64
    /// The monotonic clock, nanoseconds, to the millisecond.
    public var ended: UInt64
}

extension ScoreboardSnapshot {
    /// Exchanges in a phase, those included that are only counted.
    public func exchangeCount(_ phase: ExchangePhase) -> Int {
        let atRunners = workers.reduce(0) { $0 + $1.exchanges.count { $0.slot != nil && $0.phase == phase } }
        return switch phase {
        case .waiting: atRunners + workers.reduce(relayed.count + relayedUnlisted) { $0 + $1.waiting }
        case .response: atRunners + workers.reduce(0) { $0 + $1.responses }
        case .application, .none: atRunners
        }
    }

    /// Exchanges in the application that wait for their clients there.
    public var clientWaitCount: Int {
        workers.reduce(0) { $0 + $1.exchanges.count { $0.clientWaitBegan != nil } }
    }

    /// Exchanges of a phase that are only counted.
    public func unlistedCount(_ phase: ExchangePhase) -> Int {
        let listed = workers.reduce(relayed.count { $0.phase == phase }) {
            $0 + $1.exchanges.count { $0.phase == phase }
        }
        return max(0, exchangeCount(phase) - listed)
    }
}

/// What only grows.
public struct CounterSnapshot: Equatable, Sendable {
    /// `CounterWord`s, in their order.
    var words: [UInt64]

    public init() { words = [UInt64](repeating: 0, count: CounterWord.count) }

    init(_ memory: ScoreboardWords) { words = (0..<CounterWord.count).map { memory.load($0) } }

    public static func += (sum: inout CounterSnapshot, more: CounterSnapshot) {
        for index in 0..<CounterWord.count { sum.words[index] &+= more.words[index] }
    }

    public var accepted: UInt64 { words[CounterWord.accepted] }
    public var relayedOut: UInt64 { words[CounterWord.relayedOut] }
    public var relayedIn: UInt64 { words[CounterWord.relayedIn] }
    public var relayFull: UInt64 { words[CounterWord.relayFull] }
    public var bytesIn: UInt64 { words[CounterWord.bytesIn] }
    public var bytesOut: UInt64 { words[CounterWord.bytesOut] }
    public var droppedLogLines: UInt64 { words[CounterWord.droppedLogLines] }

    public func timeouts(_ kind: TimeoutClass) -> UInt64 { words[CounterWord.timeouts + Int(kind.rawValue)] }

    public func requests(_ method: MethodClass, _ status: StatusClass) -> UInt64 {
        words[CounterWord.requests + Int(method.rawValue) * CounterWord.statusCount + Int(status.rawValue)]
    }

    /// Requests of every kind.
    public var requests: UInt64 {
        words[CounterWord.requests..<CounterWord.applicationTime].reduce(0, &+)
    }

    /// Requests refused under an error identifier's number.
    public func refusals(_ id: Int) -> UInt64 {
        id >= 0 && id < CounterWord.refusalCount ? words[CounterWord.refusals + id] : 0
    }

    public var applicationTime: HistogramSnapshot { histogram(CounterWord.applicationTime) }
    public var totalTime: HistogramSnapshot { histogram(CounterWord.totalTime) }
    public var waitingTime: HistogramSnapshot { histogram(CounterWord.waitingTime) }

    private func histogram(_ start: Int) -> HistogramSnapshot {
        let last = start + DurationBuckets.boundCount
        return HistogramSnapshot(buckets: Array(words[start...last]), sum: words[last + 1])
    }
}

/// Durations, by `DurationBuckets`.
public struct HistogramSnapshot: Equatable, Sendable {
    /// How many fell into each; the last is beyond all bounds.
    public var buckets: [UInt64]
    /// Nanoseconds.
    public var sum: UInt64

    public var count: UInt64 { buckets.reduce(0, &+) }
}
