internal import Platform

/// The events of one poll, how far they are dealt with, and how much is done without an event until the next one. It
/// takes the clock.
struct EventBatch {
    private var count = 0
    private var cursor = 0
    private var turns = 0
    /// When the poll returned.
    private var began: Nanoseconds = 0
    /// Whether anything was done since then that no event announced.
    private var hasTurned = false
    private var hasAskedPostponed = false
    /// When a poll last brought a whole request, or a part of a head.
    private var lastNews: Nanoseconds?

    /// Turns that even a single connection gets between two polls: enough to make up for the cost of polling.
    static let leastTurns = 16
    /// Nanoseconds after a poll in which connections without an event have turns. Whoever has an event comes first, so
    /// this is what bulk transfers and pipelined requests cost him.
    static let turnTime: Nanoseconds = .microseconds(100)
    /// The same while there are clients whose requests come one by one. A poll costs less than a microsecond.
    static let shortTurnTime: Nanoseconds = .microseconds(25)
    /// How long such a client is remembered: one that pauses for longer does not notice a tenth of a millisecond.
    static let memory: Nanoseconds = .milliseconds(20)
    /// The same for requests that were held: their applications run.
    static let heldTime: Nanoseconds = .milliseconds(2)

    /// Whether all events are dealt with.
    @inline(__always)
    var isOver: Bool { cursor >= count }

    /// - Parameter queued: connections that have something to do without an event. A client that pipelines without end
    ///   keeps the queue filled: others are heard of between the rounds.
    mutating func begin(_ events: Int, queued: Int, now: Nanoseconds) {
        count = events
        cursor = 0
        turns = max(queued, Self.leastTurns)
        began = now
        hasTurned = false
        hasAskedPostponed = false
    }

    /// The place of the present event; nil when all are dealt with.
    @inline(__always)
    var current: Int? { cursor < count ? cursor : nil }

    @inline(__always)
    mutating func advance() { cursor += 1 }

    /// The places of the events that are not dealt with.
    var rest: Range<Int> { cursor..<max(cursor, count) }

    /// An event of this batch brought a whole request, or a part of a head: there is somebody who notices how long
    /// turns take.
    @inline(__always)
    mutating func noteNews() { lastNews = began }

    /// Whether there are clients whose requests come one by one, beside those that have turns.
    var hasInteractiveClients: Bool { lastNews.map { began &- $0 < Self.memory } ?? false }

    /// Whether another connection without an event has its turn before the next poll. One has in any case.
    mutating func takeTurn(now: Nanoseconds) -> Bool {
        guard turns > 0, isTime(now, hasInteractiveClients ? Self.shortTurnTime : Self.turnTime) else { return false }
        turns -= 1
        hasTurned = true
        return true
    }

    /// Whether another held request has its turn before the next poll. One has in any case.
    mutating func takeHeldTurn(now: Nanoseconds) -> Bool {
        guard isTime(now, Self.heldTime) else { return false }
        hasTurned = true
        return true
    }

    /// Whether a request that was postponed may be asked for before those that are held. Once between two polls.
    mutating func takePostponedTurn() -> Bool {
        defer { hasAskedPostponed = true }
        return !hasAskedPostponed
    }

    private func isTime(_ now: Nanoseconds, _ length: Nanoseconds) -> Bool { !hasTurned || now < began &+ length }
}
