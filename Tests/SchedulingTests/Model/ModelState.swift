import Glibc

@testable import Scheduling

/// Where a thread of the model stands: the first step of a piece of its program (`Programs.swift`).
enum Place: UInt8 {
    // A runner.
    case taking, givingUp
    case serving, readingAhead, servingHeld, attending, inHandler, settling, deciding, fetching, inLog, polling
    case promoting, lending, lendingForLong, inApplication, recovering, finishing, returning
    case ending, leaving, failing, dying
    // The pilot.
    case glancing, retaking, ticking, idling, picking, parking
    case offering, keeping, pilotSettling, pilotSharing, pilotClosing, pilotOffering, pilotChecking, pilotPolling
    case pilotEnding, pilotLeaving
    // Any other thread, or the main thread's signal handler.
    case signaling, waking
    // All of them.
    case gone

    /// Whether a thread that stands here has the baton in its hands. Where it is about to pass from hand to hand
    /// (`taking`, `promoting`, `lending`, `attending`, `fetching`, `leaving`), the shared memory tells who has it.
    var hasBaton: Bool {
        switch self {
        case .serving, .readingAhead, .servingHeld, .settling, .deciding, .polling, .finishing, .ending: true
        case .keeping, .pilotSettling, .pilotSharing, .pilotClosing, .pilotChecking, .pilotPolling, .pilotEnding: true
        default: false
        }
    }
}

/// What a thread of the model waits for.
enum Sleep: UInt8 {
    case awake
    /// In `waitForOffer`, in `waitWhileParked`, in `waitWhileNotParked`.
    case untilOffer, untilUnparked, forTick
    /// In the poller.
    case untilEvent
    /// In the application: it returns when it likes, or never.
    case inApplication
}

/// A store that a flaw lets other threads see later than the thread's next loads.
enum DelayedStore: UInt8 {
    case none, word, pilotParked, waitingRunner
}

/// One thread of the model: where it stands, and what its steps since then have told it. Since a program depends on
/// nothing else, two threads of which this is equal go on in the same way.
struct ThreadState {
    var place = Place.gone
    var sleep = Sleep.awake
    /// A runner's loan; the pilot's last observation, or `none`.
    var word = ThreadState.none
    var delayed = DelayedStore.none
    var delayedValue: UInt8 = 0
    var count: UInt8 = 0
    var results = InlineArray<12, UInt8>(repeating: 0)

    /// Which of the first eight results are words, a bit for each.
    var wordResults: UInt8 = 0

    static let none: UInt8 = 0xFF

    mutating func record(_ result: UInt8, isWord: Bool = false) {
        results[Int(count)] = result
        if isWord {
            precondition(count < 8)
            wordResults |= 1 << count
        }
        count += 1
    }

    mutating func mapWords(_ map: (UInt8) -> UInt8) {
        if word != Self.none { word = map(word) }
        if delayed == .word { delayedValue = map(delayedValue) }
        guard wordResults != 0 else { return }
        for index in 0..<8 where wordResults & 1 << index != 0 { results[index] = map(results[index]) }
    }

    /// Whether it comes before the other in some order.
    func precedes(_ other: ThreadState) -> Bool {
        withUnsafeBytes(of: self) { own in
            withUnsafeBytes(of: other) { memcmp(own.baseAddress!, $0.baseAddress!, own.count) < 0 }
        }
    }

    /// Goes on at another place, with nothing remembered but its word.
    mutating func move(to place: Place) {
        self.place = place
        count = 0
        wordResults = 0
        results = .init(repeating: 0)
    }
}

/// A worker at one moment. Bytes only, so that it is hashed and compared as bytes.
struct ModelState: Equatable {
    /// What happens in the model besides requests.
    enum Event: CaseIterable {
        case none
        /// A signal comes at some moment, and the worker drains. Some time later its time is up.
        case signal
        /// A runner ends by an exception, and the worker drains.
        case failure
        /// Somebody calls `wakePilot` at some moment.
        case wakePilot
        /// A runner has something to do in Python between requests, again and again: a signal, lines for the log. It
        /// may take for ever. Where the runner is the main thread, a handler may raise, and the worker ends.
        case chores
        /// The server has another worker (`RelayState`), which stays.
        case relay
        /// The same; either of the two may leave, or both at once.
        case parting
    }

    static let runners = 0..<2
    /// Python's main thread where it is a runner (`mainThreadRuns`); it is the only one then.
    static let main = 0
    static let pilot = 2
    static let other = 3

    // The hand-over.
    var word: UInt8 = 0
    var offered = true
    var waitingRunners: UInt8 = 0
    var pilotKeeps = false
    var pilotParked = false
    /// Who lent the baton last, where loans look alike.
    var lender = ThreadState.none

    // The reactor, and what other threads may touch of it.
    /// The waker's descriptor is readable.
    var waker = false
    /// Requests that clients may still send, that they have sent, that the poller has told of.
    var unsent: UInt8
    var sent: UInt8 = 0
    var arrived: UInt8 = 0
    /// The poller has told of the waker.
    var wakerInBatch = false
    var held: UInt8 = 0
    /// Requests that a runner has, or had and nobody has settled.
    var running: UInt8 = 0
    var isClosing = false

    var relay: RelayState
    let otherMayLeave: Bool

    // `Returns`.
    var returned: UInt8 = 0
    var returnsMarked = false

    // The worker's end.
    var isDraining = false
    var isOverdue = false
    /// `Crew.isOver`: those who are not in the application leave.
    var isOver = false
    /// The process is gone.
    var hasEnded = false
    /// A runner may still end by an exception.
    var mayFail: Bool
    let hasChores: Bool
    let mainThreadRuns: Bool

    var threads: InlineArray<4, ThreadState>

    /// - Parameter clients: each sends a request, and when it is answered the next.
    init(runners: Int, clients: UInt8, event: Event) {
        unsent = clients
        mayFail = event == .failure || event == .chores && runners == 1
        hasChores = event == .chores
        relay = RelayState(exists: event == .relay || event == .parting)
        otherMayLeave = event == .parting
        mainThreadRuns = runners == 1
        threads = .init(repeating: ThreadState())
        for runner in 0..<runners { threads[runner].place = .taking }
        threads[Self.pilot].place = .glancing
        threads[Self.other].place =
            switch event {
            case .signal, .parting: .signaling
            case .wakePilot: .waking
            case .none, .failure, .chores, .relay: .gone
            }
    }

    var hash: UInt64 {
        withUnsafeBytes(of: self) { bytes in
            var hash: UInt64 = 0
            var offset = 0
            while offset < bytes.count {
                var word: UInt64 = 0
                for index in offset..<min(offset + 8, bytes.count) { word = word << 8 | UInt64(bytes[index]) }
                hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
                hash ^= hash >> 32
                offset += 8
            }
            return hash
        }
    }

    static func == (left: ModelState, right: ModelState) -> Bool {
        withUnsafeBytes(of: left) { left in
            withUnsafeBytes(of: right) { right in memcmp(left.baseAddress!, right.baseAddress!, left.count) == 0 }
        }
    }
}
