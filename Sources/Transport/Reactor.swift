public import HTTPServer
internal import HTTPWire
public import Platform
public import Scheduling

/// One worker's connections: polls, accepts, reads, parses, drains, and keeps deadlines.
///
/// It is driven from outside, by whoever has the baton: `poll` waits, `next` hands out the next complete request,
/// `finish` takes its connection back. It never assumes that it owns the thread's wait: `descriptor` is readable when
/// there is work, and `turn` does that work without blocking, so that another event loop can host it.
public final class Reactor {
    /// What the poller gives back with an event that is no connection's.
    enum Payload {
        static let waker: UInt64 = 1 << 63
        static let timer: UInt64 = 1 << 63 | 1
        static let signals: UInt64 = 1 << 63 | 2
        static let relay: UInt64 = 1 << 63 | 3
        static let listener: UInt64 = 1 << 62
    }

    public let configuration: TransportConfiguration
    let listeners: [ListenerSocket]
    let trust: @Sendable (SocketAddress) -> PeerTrust

    let poller: Poller
    let timer: TimerDescriptor
    /// Ends a wait in `poll` from any thread.
    public let waker: Waker
    /// Whoever handles signals writes to it; `takeSignals` tells that one came.
    public let signals: WakePipe

    /// The clock as of the last poll or response: exact enough for deadlines, and nearly free.
    var now: Nanoseconds
    var connections = ConnectionTable()
    var admission: Admission
    var deadlines: Deadlines
    /// The timer rang: what is late is looked at after the batch, which may have brought what was waited for.
    var timerRang = false
    var deferral = Deferral<Connection>()
    /// Nil where there are no other workers to share with.
    let sharing: Sharing?
    var hasListeners = true
    /// Places in the list of the listeners that this process alone has, and that are open.
    var ownListeners: [Int]
    /// When they are closed; nil before the end.
    var ownListenersEnd: Nanoseconds?

    var batch = EventBatch()
    /// Connections that have something to do without an event: pipelined requests, returned connections.
    var queue = Queue<Connection>()
    /// Whole requests that came while no runner was free.
    var held = Queue<Connection>()
    /// Whole requests that their owner does not want to run yet, since when, and of which kind.
    var postponed = Queue<(connection: Connection, since: Nanoseconds, kind: UInt32)>()

    /// Where files are made, and who waits for the disk.
    let spool: Spool
    let memory: MemoryBudget
    /// When it is looked for a connection that gives way again, where none was found that could.
    var nextRelief: Nanoseconds = 0
    /// Lines of clients that leave in the middle of a body, and of bodies that cannot be kept.
    var cutBodyLines = LineBudget()
    var unkeptBodyLines = LineBudget()
    /// When the log hears again at the earliest that memory or disk is used up.
    var nextScarcityNotice: Nanoseconds = 0

    /// Responses that their clients have not taken yet and that others see, and how often that changed.
    var toldResponses = 0
    var toldChanges = 0
    /// Whether others see a list of what waits that is not empty.
    var isListed = false

    /// Complete requests so far.
    var requestCount = 0
    public internal(set) var isClosing = false
    /// Until when, in that case, connections that were served before are kept for one more request.
    var lastRequestsEnd: Nanoseconds = 0
    /// The poller or a listener is gone: whoever drives this reactor should end the process.
    public internal(set) var isBroken = false

    /// Hears of requests that are refused, and of those whose responses did not leave at once. Called by whoever has
    /// the baton.
    public var observer: (any ExchangeObserver)?

    /// For requests that are refused.
    let departures = DeparturePool()

    /// What is answered before the application; set before the first poll.
    public var health: HealthEndpoint?

    /// Whether the process goes on when this reactor has ended, and needs the listeners then. Asked when they would be
    /// closed; set before the first poll.
    public var keepsListeners: (@Sendable () -> Bool)?

    var sawSignal = false
    var releases: [UnsafeMutableRawPointer] = []
    var notices = NoticeBuffer()

    /// - Parameters:
    ///   - trust: what the word of a socket's other end counts for.
    ///   - commons: what this worker has in common with the others of its server; nil where it is alone.
    ///   - workers: how many there are.
    /// - Throws: `SystemError` when the system has no descriptors left.
    public init(
        configuration: TransportConfiguration, listeners: [ListenerSocket],
        trust: @escaping @Sendable (SocketAddress) -> PeerTrust, commons: Commons? = nil, workers: Int = 1
    ) throws(SystemError) {
        self.configuration = configuration
        self.listeners = listeners
        ownListeners = listeners.indices.filter { listeners[$0].isOwn }
        self.trust = trust
        sharing = commons.map { Sharing($0, workers: workers) }
        admission = Admission(
            maximum: configuration.maximumConnections, batch: configuration.acceptBatch,
            sharesListeners: configuration.sharesListeners, crowd: configuration.crowd)
        poller = try Poller()
        timer = try TimerDescriptor()
        waker = try Waker()
        signals = try WakePipe()
        configuration.spoolAllowance.join()
        spool = Spool(
            directory: configuration.body.spoolDirectory, allowance: configuration.spoolAllowance, waker: waker)
        memory = MemoryBudget(limit: configuration.bufferMemory)
        now = Clock.now()
        deadlines = Deadlines(now: now)
        try poller.add(timer.descriptor, .readable, payload: Payload.timer)
        try poller.add(waker.descriptor, .readable, payload: Payload.waker)
        try poller.add(signals.descriptor, .readable, payload: Payload.signals)
    }

    deinit {
        spool.stop()
        for returned in spool.takeReturned() { returned.connection.closeBehindDisk() }
        for connection in connections { connection.channel.shutdownAndClose() }
        timer.descriptor.close()
        waker.descriptor.close()
        signals.close()
    }

    /// Ends the thread that waits for disks, after what it has to do. Nothing may be left that would need one.
    public func stopDisk() { spool.stop() }

    /// Readable when there is work: for a host with a loop of its own.
    public var descriptor: Descriptor { poller.descriptor }

    /// Connections there are, in whatever phase.
    public var connectionCount: Int { connections.count }

    // MARK: Driving

    /// Waits for events: -1 milliseconds for as long as it takes. Returns at once when work is left over.
    ///
    /// - Parameter ignoringHeld: complete requests are no work for a thread that cannot run the application.
    /// - Returns: whether anything happened; false after the time is up or when a signal arrived.
    @discardableResult
    public func poll(_ baton: borrowing Baton, milliseconds: Int32, ignoringHeld: Bool = false) -> Bool {
        if batch.isOver { sendDeferred() }
        settleDisk()
        updateAccepting()
        guard batch.isOver else {
            if !ignoringHeld { announceWork() }
            return true
        }
        let isBusy = !queue.isEmpty || (!held.isEmpty && !ignoringHeld)
        var count = 0
        do throws(SystemError) {
            count = try poller.wait(milliseconds: isBusy ? 0 : milliseconds)
        } catch {
            // Nothing can be heard any more.
            if !isBroken {
                let advice = DescriptorFailure(error.errno).advice
                note(.error, "The worker cannot poll and leaves: \(error).\(advice.isEmpty ? "" : " ")\(advice)")
            }
            isBroken = true
        }
        now = Clock.now()
        batch.begin(count, queued: queue.count, now: now)
        if !held.isEmpty { cutLongestWait() }
        let isAnything = isBusy || !batch.isOver
        if isAnything, !ignoringHeld { announceWork() }
        return isAnything
    }

    /// Whether other requests may be at hand.
    @inline(__always)
    private var hasWork: Bool { !batch.isOver || !held.isEmpty || !queue.isEmpty }

    /// The next complete request, for the caller to run. Nil when it is time to poll again.
    ///
    /// - Parameter bench: the caller's, which is in use until the exchange ends.
    public func next(_ baton: borrowing Baton, on bench: Workbench) -> Exchange? {
        if !held.isEmpty { return nextHeld(on: bench) }
        guard let connection = completeNext(on: bench) else { return nil }
        return exchange(connection, on: bench)
    }

    /// The request that has waited for longest. What the batch brings has come later and waits behind it. Nil after a
    /// while, though there may be more: others must be heard of, and connections accepted, while all these are served.
    /// Nil, too, once after each poll while requests are postponed: those came before the ones that are held.
    private func nextHeld(on bench: Workbench) -> Exchange? {
        holdComplete(on: bench)
        if !postponed.isEmpty, batch.takePostponedTurn() { return nil }
        while !held.isEmpty, batch.takeHeldTurn(now: now), let connection = held.popFirst() {
            if resume(connection, on: bench) { return exchange(connection, on: bench) }
        }
        return nil
    }

    @inline(__always)
    private func exchange(_ connection: Connection, on bench: Workbench) -> Exchange? {
        guard case .running(let request) = connection.phase else { return nil }
        return Exchange(connection, request, on: bench, began: now)
    }

    /// Puts back what `next` gave and nobody has begun to run, until `nextPostponed`: others come first.
    ///
    /// - Parameter kind: for the owner, see `oldestPostponement`.
    public func postpone(_ exchange: consuming Exchange, kind: UInt32, _ baton: borrowing Baton) {
        detach(exchange.connection, from: exchange.bench)
        postponed.append((exchange.connection, now, kind))
    }

    public func nextPostponed(_ baton: borrowing Baton, on bench: Workbench) -> Exchange? {
        while let connection = postponed.popFirst()?.connection {
            if resume(connection, on: bench) { return exchange(connection, on: bench) }
        }
        return nil
    }

    /// When the request was postponed that has waited for longest, on the monotonic clock, and its kind; nil when none
    /// is.
    public func oldestPostponement(_ baton: borrowing Baton) -> (since: Nanoseconds, kind: UInt32)? {
        postponed.first.map { ($0.since, $0.kind) }
    }

    /// For a thread that can't run the application: does all there is to do, and holds complete requests for `next`.
    public func holdRequests(_ baton: borrowing Baton, on bench: Workbench) { holdComplete(on: bench) }

    private func holdComplete(on bench: Workbench) {
        while let connection = completeNext(on: bench) {
            detach(connection, from: bench)
            // In order of age, wherever they came from: one that another worker posted has waited for longer. Requests
            // of new connections count from when they were read.
            held.insert(connection) { connection.completed < $0.completed }
        }
    }

    /// A share of the work at hand, without blocking: for a host with a loop of its own. It takes a turn whenever
    /// `descriptor` is readable, and besides at the start, after `setAccepting`, and after a `finish` that was not part
    /// of a turn.
    public func turn(_ baton: borrowing Baton, on bench: Workbench, _ handle: (consuming Exchange) -> Void) {
        poll(baton, milliseconds: 0)
        while let exchange = next(baton, on: bench) { handle(exchange) }
        sendDeferred()
        // The host has other work too: what is left over makes the descriptor readable again, for the next turn.
        if hasWork { waker.wake() }
        // The host waits outside of `poll`: what changed in this turn must be known to the poller now.
        updateAccepting()
    }

    /// Whether a complete request waits for a runner.
    public func hasHeldRequests(_ baton: borrowing Baton) -> Bool { !held.isEmpty }

    /// Whether a small response of the request that begins now may wait for others (`Connection.deferResponse`).
    @inline(__always)
    public func defersResponses(_ baton: borrowing Baton) -> Bool { deferral.isWorthwhile(hasMore: hasWork) }

    /// How many complete requests came so far.
    public func requestCount(_ baton: borrowing Baton) -> Int { requestCount }

    /// The monotonic clock as of the last poll or response, in nanoseconds.
    public func recently(_ baton: borrowing Baton) -> Nanoseconds { now }

    // MARK: What runners fetch

    /// Whether there are releases or notices.
    public func hasSomethingToFetch(_ baton: borrowing Baton) -> Bool { !releases.isEmpty || !notices.isEmpty }

    /// Owners of bytes that are sent or given up (`Connection.transmit`).
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
    public func takeNotices(_ baton: borrowing Baton) -> [Notice] { notices.isEmpty ? [] : notices.takeAll() }

    /// A line of the owner's for the error log.
    public func note(_ level: Notice.Level, _ text: String, _ baton: borrowing Baton) { note(level, text) }

    func note(_ level: Notice.Level, _ text: String) { notices.append(level, text) }

    /// The same for a line that any client may cause as often as it likes. Those that are left out are counted in the
    /// next.
    func note(_ level: Notice.Level, within budget: inout LineBudget, _ text: @autoclosure () -> String) {
        guard budget.spend(at: now) else { return }
        let leftOut = budget.takeSuppressed()
        note(level, leftOut == 0 ? text() : "\(text()) (\(leftOut) more like this were not written)")
    }
}
