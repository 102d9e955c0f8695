internal import Platform

/// When a worker takes new connections, how many at a time, and who gives way where there is no room. It takes the
/// clock and counts; it knows no socket.
struct Admission {
    private let maximum: Int
    private let batch: Int

    /// Whether the owner wants connections (`Reactor.setAccepting`).
    var isWanted = true
    /// Whether the listeners are watched.
    private(set) var isWatching = false
    /// Until when accepting pauses, after the process ran out of descriptors.
    private var backOff: Nanoseconds = 0
    /// Until when it pauses with all places taken, since none could be made free.
    private var crowdedUntil: Nanoseconds = 0
    /// When the log hears again at the earliest that the process ran out.
    private var nextNotice: Nanoseconds = 0
    /// How many connections the listener whose event is under way may still give; nil between such events.
    private var share: Int?

    /// - Parameters:
    ///   - maximum: places.
    ///   - batch: connections that one event of a listener may bring.
    init(maximum: Int, batch: Int) {
        self.maximum = maximum
        self.batch = batch
    }

    func isFull(count: Int) -> Bool { count >= maximum }

    // MARK: When

    /// Whether the listeners have to be watched from now on (true) or left alone (false); nil where nothing changes.
    ///
    /// - Parameter count: connections there are.
    mutating func change(now: Nanoseconds, count: Int, isClosing: Bool) -> Bool? {
        let accepts = isWanted && !isClosing && now >= backOff && (!isFull(count: count) || now >= crowdedUntil)
        guard accepts != isWatching else { return nil }
        isWatching = accepts
        return accepts
    }

    /// Whether a listener's event may bring one more connection; the share begins with the first that is asked for.
    mutating func takesAnother() -> Bool {
        let left = share ?? batch
        share = max(0, left - 1)
        return left > 0 && isWatching
    }

    /// The event of a listener is done with.
    mutating func endShare() { share = nil }

    // MARK: No room

    /// All places are taken, and nobody could give way.
    ///
    /// - Returns: when to look again.
    mutating func pauseInCrowd(now: Nanoseconds) -> Nanoseconds {
        crowdedUntil = now + Self.leastWait
        return crowdedUntil
    }

    /// The process has no descriptor, or no memory, left: trying again at once would spin.
    ///
    /// - Returns: when to try again, and whether the log should hear of it.
    mutating func pauseExhausted(now: Nanoseconds) -> (until: Nanoseconds, isNews: Bool) {
        backOff = now + .milliseconds(200)
        let isNews = now >= nextNotice
        if isNews { nextNotice = now + .seconds(60) }
        return (backOff, isNews)
    }

    /// When a pause ends that has not ended yet.
    func nextWakeUp(now: Nanoseconds) -> Nanoseconds? {
        [backOff, crowdedUntil].filter { $0 > now }.min()
    }

    // MARK: Who gives way

    /// How long a client has to have waited before it may lose its place: one in the middle of its work is not cut off
    /// between two requests.
    static let leastWait: Nanoseconds = .seconds(1)

    /// A connection that might give way.
    struct Candidate: Equatable {
        /// In the order in which they give way.
        enum Stage: UInt8, Comparable {
            /// It never sent anything.
            case silent
            /// It waits for another request.
            case idle

            static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
        }

        let stage: Stage
        /// Since when it has made no progress.
        let since: Nanoseconds

        /// Whether it has waited for long enough.
        func mayGiveWay(now: Nanoseconds) -> Bool { now >= since &+ Admission.leastWait }

        /// Whether it gives way sooner than another.
        func goes(before other: Candidate?) -> Bool {
            guard let other else { return true }
            return (stage, since) < (other.stage, other.since)
        }
    }
}
