internal import HTTPWire
public import Platform
public import Scheduling

/// One worker's connections: polls, accepts, reads, parses, drains, and keeps deadlines.
///
/// It is driven from outside, by whoever has the baton: `poll` waits, `next` hands out the next complete request, `finish`
/// takes its connection back. It never assumes that it owns the thread's wait: `descriptor` is readable when there is work,
/// and `turn` does that work without blocking, so that another event loop can host it.
public final class Reactor {
    enum Payload {
        static let waker: UInt64 = 1 << 63
        static let timer: UInt64 = 1 << 63 | 1
        static let signals: UInt64 = 1 << 63 | 2
        static let listener: UInt64 = 1 << 62
    }

    public let configuration: TransportConfiguration
    let poller: Poller
    let timer: TimerDescriptor
    /// Ends a wait in `poll` from any thread.
    public let waker: Waker
    /// Whoever handles signals writes to it; `takeSignals` tells that one came.
    public let signals: WakePipe
    let listeners: [ListenerSocket]
    let trust: @Sendable (SocketAddress) -> PeerTrust

    /// By descriptor number, which the kernel keeps small.
    var table: [Connection?] = []
    public internal(set) var connectionCount = 0
    /// Complete requests so far.
    var requestCount = 0
    var generation: UInt32 = 0
    var wheel: DeadlineWheel
    /// When the timer descriptor rings; `.max` is never.
    var armed = Nanoseconds.max
    /// The clock as of the last poll or response: exact enough for deadlines, and nearly free.
    var now: Nanoseconds

    /// The batch of the last poll, and how far `next` has come in it.
    var eventCount = 0
    var eventCursor = 0
    var acceptsLeft = 0
    /// Connections that have something to do without an event: pipelined requests, returned connections.
    var queue = Queue<Connection>()
    /// How many of them have their turn before the next poll.
    var queueTurns = 0
    /// Turns that even a single connection gets between two polls: enough to make up for the cost of polling.
    private static let queueShare = 16
    /// Whole requests that came while no runner was free.
    var held = Queue<Connection>()
    /// Whole requests that their owner does not want to run yet, and since when.
    var postponed = Queue<(connection: Connection, since: Nanoseconds)>()

    /// Connections whose response waits to leave with others (`defersResponses`), and since when the first of them does.
    var deferred: [Connection] = []
    var deferredSince: Nanoseconds = 0
    /// How long the last request took, from its turn to its response, in nanoseconds.
    var lastTurn: Nanoseconds = 0

    /// Whether the owner wants connections to be accepted; see `setAccepting`.
    var wantsAccepting = true
    var isAccepting = false
    /// No accepting before this moment, after the process ran out of descriptors.
    var acceptBackOff: Nanoseconds = 0
    /// When that is said again in the log at the earliest.
    var nextAcceptNotice: Nanoseconds = 0
    /// With all places taken, no accepting before this moment: none could be made free.
    var crowdedUntil: Nanoseconds = 0
    public internal(set) var isClosing = false
    /// The poller is gone: whoever drives this reactor should end the process.
    public private(set) var isBroken = false

    var sawSignal = false
    var releases: [UnsafeMutableRawPointer] = []
    var notices: [Notice] = []
    /// Lines that found no room in `notices`.
    var noticesLeftOut = 0
    static let noticeLimit = 256

    /// - Parameter trust: what the word of a socket's other end counts for.
    /// - Throws: `SystemError` when the system has no descriptors left.
    public init(
        configuration: TransportConfiguration, listeners: [ListenerSocket],
        trust: @escaping @Sendable (SocketAddress) -> PeerTrust
    ) throws(SystemError) {
        self.configuration = configuration
        self.listeners = listeners
        self.trust = trust
        poller = try Poller()
        timer = try TimerDescriptor()
        waker = try Waker()
        signals = try WakePipe()
        now = Clock.now()
        wheel = DeadlineWheel(now: now)
        try poller.add(timer.descriptor, .readable, payload: Payload.timer)
        try poller.add(waker.descriptor, .readable, payload: Payload.waker)
        try poller.add(signals.descriptor, .readable, payload: Payload.signals)
    }

    deinit {
        for case let connection? in table { connection.socket.close() }
        timer.descriptor.close()
        waker.descriptor.close()
        signals.close()
    }

    /// Readable when there is work: for a host with a loop of its own.
    public var descriptor: Descriptor { poller.descriptor }

    // MARK: Driving

    /// Waits for events: -1 milliseconds for as long as it takes. Returns at once when work is left over.
    ///
    /// - Parameter ignoringHeld: complete requests are no work for a thread that cannot run the application.
    /// - Returns: whether anything happened; false after the time is up or when a signal arrived.
    @discardableResult
    public func poll(_ baton: borrowing Baton, milliseconds: Int32, ignoringHeld: Bool = false) -> Bool {
        if eventCursor >= eventCount { sendDeferred() }
        updateAccepting()
        let isBusy = !queue.isEmpty || eventCursor < eventCount || (!held.isEmpty && !ignoringHeld)
        if eventCursor < eventCount { return true }
        let wait = isBusy ? 0 : milliseconds
        do throws(SystemError) {
            eventCount = try poller.wait(milliseconds: wait)
        } catch {
            // The application closed a descriptor that is not its own. Nothing can be heard any more.
            eventCount = 0
            if !isBroken { note(.error, "The worker cannot poll and leaves: \(error).") }
            isBroken = true
        }
        eventCursor = 0
        // A client that pipelines without end keeps the queue filled: others are heard of between the rounds.
        queueTurns = max(queue.count, Self.queueShare)
        now = Clock.now()
        return isBusy || eventCount > 0
    }

    /// Whether `next` has something to do without polling.
    var hasQueuedWork: Bool { !queue.isEmpty || !held.isEmpty || eventCursor < eventCount }

    /// The next complete request, its head parsed on the bench. Its connection belongs to the caller until `finish`. Nil when
    /// it is time to poll again.
    public func next(_ baton: borrowing Baton, on bench: Workbench) -> Connection? {
        if let connection = held.popFirst() {
            resume(connection, on: bench)
            return connection
        }
        return receive(baton, on: bench)
    }

    /// Puts a request that `next` gave back, until `nextPostponed`: others come first.
    public func postpone(_ connection: Connection, _ baton: borrowing Baton, on bench: Workbench) {
        keep(connection, on: bench)
        postponed.append((connection, now))
    }

    public func nextPostponed(_ baton: borrowing Baton, on bench: Workbench) -> Connection? {
        guard let connection = postponed.popFirst()?.connection else { return nil }
        resume(connection, on: bench)
        return connection
    }

    /// When the request was postponed that has waited for longest, on the monotonic clock; nil when none is.
    public func oldestPostponement(_ baton: borrowing Baton) -> Nanoseconds? { postponed.first?.since }

    /// For a thread that can't run the application: does all there is to do, and holds complete requests for `next`.
    public func serve(_ baton: borrowing Baton, on bench: Workbench) {
        while let connection = receive(baton, on: bench) { hold(connection, on: bench) }
    }

    /// A share of the work at hand, without blocking: for a host with a loop of its own. It takes a turn whenever
    /// `descriptor` is readable, and besides at the start, after `setAccepting`, and after a `finish` that was not part of a
    /// turn.
    public func turn(_ baton: borrowing Baton, on bench: Workbench, _ handle: (Connection) -> Void) {
        poll(baton, milliseconds: 0)
        while let connection = next(baton, on: bench) { handle(connection) }
        sendDeferred()
        // The host has other work too: what is left over makes the descriptor readable again, for the next turn.
        if hasQueuedWork { waker.wake() }
        // The host waits outside of `poll`: what changed in this turn must be known to the poller now.
        updateAccepting()
    }

    /// Whether a complete request waits for a runner.
    public func hasHeldRequests(_ baton: borrowing Baton) -> Bool { !held.isEmpty }

    /// Takes a connection back after its response.
    ///
    /// - Parameter persist: whether the response left the connection open.
    public func finish(_ connection: Connection, _ baton: borrowing Baton, persist: Bool) {
        // The application ran since the last poll, perhaps for longer than the client may now idle.
        let began = now
        now = Clock.now()
        lastTurn = now &- began
        connection.endBacklog()
        sendOverdue()
        if connection.consumed > 0, let input = connection.input {
            input.removeFirst(connection.consumed)
            connection.consumed = 0
            if input.count == 0 { connection.input = nil }
        }
        if case .stream(let stream) = connection.body {
            takeBack(stream, of: connection)
        } else {
            connection.body = .none
        }
        if connection.outbox.isEmpty {
            settle(connection, persist: persist)
            return
        }
        connection.phase = .draining(persist: persist, unsent: nil)
        if connection.isDeferred {
            connection.isDeferred = false
            addDeferred(connection)
        } else {
            drain(connection)
        }
    }

    /// How many complete requests came so far.
    public func requestCount(_ baton: borrowing Baton) -> Int { requestCount }

    /// The monotonic clock as of the last poll or response, in nanoseconds.
    public func recently(_ baton: borrowing Baton) -> Nanoseconds { now }

    // MARK: What runners fetch

    /// Owners of bytes that are sent or given up (`Outbox`).
    public func takeReleases(_ baton: borrowing Baton) -> [UnsafeMutableRawPointer] {
        guard !releases.isEmpty else { return [] }
        defer { releases = [] }
        return releases
    }

    /// Whether a signal came since the last call.
    public func takeSignals(_ baton: borrowing Baton) -> Bool {
        guard sawSignal else { return false }
        sawSignal = false
        return true
    }

    /// Lines for the error log.
    public func takeNotices(_ baton: borrowing Baton) -> [Notice] {
        guard !notices.isEmpty else { return [] }
        if noticesLeftOut > 0 {
            notices.append(Notice(level: .warning, text: "\(noticesLeftOut) more lines like these are left out."))
            noticesLeftOut = 0
        }
        defer { notices = [] }
        return notices
    }

    /// A line of the owner's for the error log.
    public func note(_ level: Notice.Level, _ text: String, _ baton: borrowing Baton) { note(level, text) }

    func note(_ level: Notice.Level, _ text: String) {
        // A flood of bad clients must grow neither memory nor the time that the log takes.
        if notices.count < Self.noticeLimit {
            notices.append(Notice(level: level, text: text))
        } else {
            noticesLeftOut += 1
        }
    }
}

/// A line for the error log, from a place that cannot write it.
public struct Notice: Equatable, Sendable {
    public enum Level: Sendable { case debug, info, warning, error }
    public let level: Level
    public let text: String
}
