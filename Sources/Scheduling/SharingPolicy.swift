public import Platform

/// What a worker does with requests that it cannot start now, while others could.
///
/// A connection belongs to the worker that accepted it, and that is many servers instead of one: requests queue behind
/// one runner while another has nothing to do. So a worker *posts* what waits, and another *adopts* it. A parcel costs
/// both some microseconds, and the request about fifty until a sleeping worker has it; so nothing is posted that would
/// be served here sooner, nor, where requests are short, while nobody has time for it.
///
/// What waits is served in order of age, wherever it came from: the reactor holds it so, and the relay is a queue.
///
/// `benchmarks/sharing.py` simulates it, docs/performance.md shows what it brings.
///
/// It belongs to the reactor's data: only who has the baton asks and tells it. What other workers do is read from the
/// scoreboard by whoever asks.
public struct SharingPolicy: Sendable {
    /// Requests that are shorter on average are served before another worker would have them.
    public static let worthSharing = Nanoseconds.microseconds(200)
    /// How many times a connection may be posted without being served in between. The first brings it where the
    /// scoreboard showed an idle runner, the second away from where that was a mistake; then it stays.
    public static let hopLimit = 2
    /// Requests that are at least this long on average make the relay the queue, where that is wanted: a parcel costs
    /// less than a two-hundredth of one, and whatever waits is then served in order of age by whoever is free first.
    public static let worthQueueing = Nanoseconds.milliseconds(2)
    /// The average follows a new request by one part in so many.
    private static let inertia: Nanoseconds = 8

    /// How long a request takes on average, application and response; nil before the first.
    public private(set) var average: Nanoseconds?
    /// How many workers there are.
    public var workers: Int
    private let queuesInRelay: Bool

    /// - Parameters:
    ///   - workers: how many there are. One shares with nobody.
    ///   - queuesInRelay: whether long requests (`worthQueueing`) that wait are posted while nobody is idle, too.
    public init(workers: Int, queuesInRelay: Bool = false) {
        self.workers = workers
        self.queuesInRelay = queuesInRelay
    }

    /// A request was served here.
    ///
    /// - Parameter duration: from its turn to its response.
    @inline(__always)
    public mutating func served(in duration: Nanoseconds) {
        guard let average else {
            self.average = duration
            return
        }
        // Rounded towards the newer, so that small values do not stick.
        self.average =
            duration > average
            ? average + (duration - average + Self.inertia - 1) / Self.inertia
            : average - (average - duration + Self.inertia - 1) / Self.inertia
    }

    /// Whether it can ever pay to ask the scoreboard: without this, a request costs nothing but these comparisons.
    @inline(__always)
    public var mayShare: Bool {
        guard workers > 1, let average else { return false }
        return average >= Self.worthSharing
    }

    /// Whether requests are so long that all that wait make one queue.
    @inline(__always)
    public var isQueueWorthwhile: Bool {
        guard queuesInRelay, workers > 1, let average else { return false }
        return average >= Self.worthQueueing
    }

    // MARK: Posting

    /// What is at hand here, and what the scoreboard says of the others.
    public struct Situation: Equatable, Sendable {
        /// Complete requests that no runner has begun.
        public var held: Int
        /// Connections of the batch that are readable and were not read yet.
        public var readable: Int
        /// Runners here that can begin one now; the asking thread is one of them if it is about to.
        public var free: Int
        /// Runners of other workers that wait (`ScoreboardReader.waitingRunners`).
        public var idleElsewhere: Int
        /// Parcels in the relay that nobody has adopted yet, as far as is known: they are for the same runners.
        public var onTheWay: Int
        /// Every runner here is in a request that takes its time, whatever the average is: nobody knows when what waits
        /// would begin.
        public var isStalled: Bool

        public init(
            held: Int, readable: Int, free: Int, idleElsewhere: Int, onTheWay: Int = 0, isStalled: Bool = false
        ) {
            self.held = held
            self.readable = readable
            self.free = free
            self.idleElsewhere = idleElsewhere
            self.onTheWay = onTheWay
            self.isStalled = isStalled
        }
    }

    /// What to post, the oldest first.
    public struct Postings: Equatable, Sendable {
        public var held: Int
        public var readable: Int

        public static let none = Postings(held: 0, readable: 0)
    }

    /// How much of what waits goes to others.
    ///
    /// Complete requests come first: they are older, and whoever adopts them has no reading to do. A readable
    /// connection may hold a request or a part of one.
    public func postings(_ situation: Situation) -> Postings {
        guard workers > 1 else { return .none }
        guard mayShare || situation.isStalled else { return .none }
        let isQueue = isQueueWorthwhile || queuesInRelay && situation.isStalled
        let room = isQueue ? Int.max : situation.idleElsewhere - situation.onTheWay
        guard room > 0 else { return .none }
        // The first are begun here: as many as there are free runners.
        let heldBehind = max(0, situation.held - situation.free)
        let freeForReadable = max(0, situation.free - situation.held)
        let readableBehind = max(0, situation.readable - freeForReadable)
        let held = min(heldBehind, room)
        // What was not read yet may be half a request: nobody takes that off a queue to wait for the rest.
        return Postings(held: held, readable: isQueue ? 0 : min(readableBehind, room - held))
    }

    /// Whether this connection may be posted. A worker that leaves does not ask: it cannot keep it.
    ///
    /// - Parameters:
    ///   - hops: how often it was posted since it was last served.
    ///   - isSaturated: no runner of this worker is free, and others wait before it.
    public static func mayPost(hops: Int, isSaturated: Bool) -> Bool {
        hops == 0 || (hops < hopLimit && isSaturated)
    }
}
