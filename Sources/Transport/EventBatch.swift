/// The events of one poll, how far they are dealt with, and how many connections without an event have their turn in
/// between.
struct EventBatch {
    private var count = 0
    private var cursor = 0
    private var turns = 0

    /// Turns that even a single connection gets between two polls: enough to make up for the cost of polling.
    static let leastTurns = 16

    /// Whether all events are dealt with.
    @inline(__always)
    var isOver: Bool { cursor >= count }

    /// - Parameter queued: connections that have something to do without an event. A client that pipelines without end
    ///   keeps the queue filled: others are heard of between the rounds.
    mutating func begin(_ events: Int, queued: Int) {
        count = events
        cursor = 0
        turns = max(queued, Self.leastTurns)
    }

    /// The place of the present event; nil when all are dealt with.
    @inline(__always)
    var current: Int? { cursor < count ? cursor : nil }

    @inline(__always)
    mutating func advance() { cursor += 1 }

    /// The places of the events that are not dealt with.
    var rest: Range<Int> { cursor..<max(cursor, count) }

    /// Whether another connection without an event has its turn before the next poll.
    @inline(__always)
    mutating func takeTurn() -> Bool {
        guard turns > 0 else { return false }
        turns -= 1
        return true
    }
}
