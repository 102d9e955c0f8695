internal import Platform

/// When a worker takes new connections, how many at a time, and who gives way where there is no room. It takes the
/// clock and counts; it knows no socket.
///
/// A worker whose runners are all busy leaves a new connection to the others for a moment. What none of them took by
/// then it accepts, so that it queues with everyone else: in a backlog nobody would know of it, and those who are in
/// would be served over and over.
struct Admission {
    private let maximum: Int
    private let batch: Int
    /// Whether other processes accept from the same listeners.
    private let sharesListeners: Bool
    private let crowd: CrowdRule

    /// How the listeners are looked after.
    enum Attention: Equatable {
        /// Not at all.
        case none
        /// An arrival is noted, and what is still there a moment later is taken.
        case late
        /// What comes is taken.
        case now
    }

    /// Whether a runner is there to serve what comes (`Reactor.setAccepting`).
    var isWanted = true
    private(set) var attention = Attention.none
    /// When what has arrived is taken; nil when nothing has.
    private var lateTaking: Nanoseconds?
    /// Until when accepting pauses, after the process ran out of descriptors.
    private var backOff: Nanoseconds = 0
    /// Until when it pauses with all places taken, since none could be made free.
    private var crowdedUntil: Nanoseconds = 0
    /// Until when somebody is known to wait for whom there is no room; 0 where nobody is.
    private(set) var isShortUntil: Nanoseconds = 0
    /// Until when descriptors that come free are for connections of other workers.
    private var yieldsUntil: Nanoseconds = 0
    /// Until when new connections have their turn, after they had none for as long.
    private var newcomersUntil: Nanoseconds = 0
    /// When the next connection may be asked to leave.
    private var nextFarewell: Nanoseconds = 0
    /// When the log hears again at the earliest that the process ran out.
    private var nextNotice: Nanoseconds = 0
    private var nextGivingWayNotice: Nanoseconds = 0
    /// How many connections the listener whose event is under way may still give; nil between such events.
    private var share: Int?

    /// - Parameters:
    ///   - maximum: places.
    ///   - batch: connections that one event of a listener may bring.
    ///   - sharesListeners: whether other processes accept from the same listeners.
    ///   - crowd: who gives way.
    init(maximum: Int, batch: Int, sharesListeners: Bool, crowd: CrowdRule) {
        self.maximum = maximum
        self.batch = batch
        self.sharesListeners = sharesListeners
        self.crowd = crowd
    }

    func isFull(count: Int) -> Bool { count >= maximum }

    // MARK: When

    /// How the listeners have to be looked after from now on; nil where nothing changes.
    ///
    /// - Parameter count: connections there are.
    mutating func change(now: Nanoseconds, count: Int, isClosing: Bool) -> Attention? {
        let isPossible =
            !isClosing && now >= max(backOff, yieldsUntil) && (!isFull(count: count) || now >= crowdedUntil)
        let next: Attention = !isPossible ? .none : isWanted || !sharesListeners ? .now : .late
        guard next != attention else { return nil }
        attention = next
        // Whoever looks now sees what is there; whoever does not has no time for it.
        if next != .late { lateTaking = nil }
        return next
    }

    /// Whether a listener's event may bring one more connection; the share begins with the first that is asked for.
    mutating func takesAnother() -> Bool {
        let left = share ?? batch
        share = max(0, left - 1)
        return left > 0 && attention == .now
    }

    /// The event of a listener is done with.
    mutating func endShare() { share = nil }

    // MARK: Late

    /// How long a connection is left to other workers, in nanoseconds.
    static let courtesy: Nanoseconds = .milliseconds(2)
    /// Connections that are taken from each listener at a time, once they were left to others: the next look follows.
    static let lateShare = 8

    /// A connection has come that others may take first, or some were left there.
    ///
    /// - Returns: when to look whether it is still there; nil when that is noted already, or of no interest.
    mutating func noteArrival(now: Nanoseconds) -> Nanoseconds? {
        guard attention == .late, lateTaking == nil else { return nil }
        lateTaking = now + Self.courtesy
        return lateTaking
    }

    /// Whether what is still there is to be taken now. Says so once.
    mutating func takesLate(now: Nanoseconds) -> Bool {
        guard let moment = lateTaking, now >= moment else { return false }
        lateTaking = nil
        return true
    }

    // MARK: No room

    /// All places are taken, and nobody could give way.
    ///
    /// - Parameters:
    ///   - moment: when the first of them may.
    ///   - isAwaited: whether somebody waits for it.
    /// - Returns: when to look again.
    mutating func pauseInCrowd(until moment: Nanoseconds?, isAwaited: Bool, now: Nanoseconds) -> Nanoseconds {
        let latest = now + crowd.leastWait(isInRequest: true)
        let pause = min(Self.leastPause, crowd.leastWait(isInRequest: false))
        crowdedUntil = min(max(moment ?? latest, now + pause), latest)
        if isAwaited { isShortUntil = crowdedUntil }
        return crowdedUntil
    }

    /// The least time between two looks at all connections, in nanoseconds.
    private static let leastPause: Nanoseconds = .milliseconds(10)

    /// The kernel gives no connection: the process has no descriptor, or no memory, left, or is not allowed to have
    /// one. Trying again at once would spin.
    ///
    /// - Parameter isShortage: a connection that goes makes room. Where the cause is another, nobody has to go for it.
    /// - Returns: when to try again, and whether the log should hear of it.
    mutating func pauseExhausted(now: Nanoseconds, isShortage: Bool) -> (until: Nanoseconds, isNews: Bool) {
        backOff = now + .milliseconds(200)
        if isShortage { isShortUntil = backOff }
        let isNews = now >= nextNotice
        if isNews { nextNotice = now + .seconds(60) }
        return (backOff, isNews)
    }

    /// A connection is gone: whoever waits may have its descriptor.
    mutating func noteRoom() { backOff = 0 }

    /// A connection was taken. Whether more wait is seen with the next.
    mutating func noteTaken() {
        if isShortUntil > yieldsUntil { isShortUntil = yieldsUntil }
    }

    /// A connection of another worker finds no descriptors free. It has been waiting for longer than any new one, and
    /// needs two at a time, so that new ones would always be faster. But one may be all that is ever free here, which
    /// is enough for a new one: so these have every other turn.
    mutating func yield(now: Nanoseconds, until moment: Nanoseconds) {
        isShortUntil = max(isShortUntil, moment)
        guard now >= newcomersUntil else { return }
        yieldsUntil = moment
        newcomersUntil = moment + (moment - now)
    }

    /// Connections of other workers find descriptors.
    mutating func endYielding() {
        isShortUntil = isShortUntil > yieldsUntil ? isShortUntil : 0
        yieldsUntil = 0
    }

    /// Whether new connections wait for those of other workers.
    var isYielding: Bool { yieldsUntil != 0 }

    /// Whether a connection on which a request comes is to make room when it has its response. Those who ask all the
    /// time would keep the others out for ever, since none of them gives way. Each has its place for a second, on
    /// average.
    ///
    /// - Parameter count: connections there are.
    mutating func asksToLeave(now: Nanoseconds, count: Int) -> Bool {
        guard now < isShortUntil, now >= nextFarewell else { return false }
        nextFarewell = now + crowd.leastWait(isInRequest: true) / Nanoseconds(max(1, count))
        return true
    }

    /// When a pause ends that has not ended yet.
    func nextWakeUp(now: Nanoseconds) -> Nanoseconds? {
        [backOff, yieldsUntil, crowdedUntil, lateTaking ?? 0].filter { $0 > now }.min()
    }

    /// Somebody who was in the middle of a request gives way.
    ///
    /// - Returns: whether the log should hear of it.
    mutating func notesGivingWay(now: Nanoseconds) -> Bool {
        guard now >= nextGivingWayNotice else { return false }
        nextGivingWayNotice = now + .seconds(60)
        return true
    }

    // MARK: Who gives way

    /// A connection that might give way.
    struct Candidate: Equatable {
        /// In the order in which they give way.
        enum Stage: UInt8, Comparable {
            /// It has its last response, and does not close.
            case leaving
            /// It never sent anything.
            case silent
            /// It waits for another request.
            case idle
            /// It has sent part of a request's head, or of what stands in front of it.
            case head
            /// It has sent part of a request's body.
            case body
            /// It has taken part of a response, or nothing.
            case response

            /// Whether a request is lost.
            var isInRequest: Bool { self >= .head }

            static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
        }

        let stage: Stage
        /// Since when it has made no progress.
        let since: Nanoseconds

        /// When it has waited for long enough.
        func mayGiveWayAt(_ crowd: CrowdRule) -> Nanoseconds {
            since &+ crowd.leastWait(isInRequest: stage.isInRequest)
        }

        /// Whether it has.
        func mayGiveWay(now: Nanoseconds, _ crowd: CrowdRule) -> Bool { now >= mayGiveWayAt(crowd) }

        /// Whether it gives way sooner than another.
        func goes(before other: Candidate?) -> Bool {
            guard let other else { return true }
            return (stage, since) < (other.stage, other.since)
        }
    }
}
