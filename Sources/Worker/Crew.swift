internal import Platform
internal import PythonBridge
internal import Scheduling
internal import Synchronization
internal import Transport

/// What the threads of a worker share. The reactor is in it, but only the thread that has the baton touches that.
final class Crew: @unchecked Sendable {
    // `@unchecked`: `reactor` is not safe by itself. Every method of it takes the baton, and there is one baton.
    let reactor: Reactor
    let handOver: BatonHandOver
    let lifetime: SharedLifetime
    let returns = Returns()
    let configuration: WorkerConfiguration
    let watchdog: Watchdog
    /// What the main thread waits on where it is no runner; nil where it is one.
    let attendance: WakePipe?
    /// Who is told of requests. Set before there are threads.
    var telemetry = WorkerTelemetry()
    /// How requests of a kind went. Only the thread that has the baton touches it.
    var promotion = PromotionPolicy()
    /// What takes the last free runner. Only the thread that has the baton touches it.
    var lastRunner: LastRunnerPolicy
    /// The kernel's number of the thread that took the baton last, of the runners; 0 before.
    private let driverID = Atomic<Int32>(0)
    /// Requests after which the worker is replaced; nil for any number.
    private let requestLimit: Int?
    /// What this worker has in common with others.
    let commons: Commons?
    /// Asks the arbiter for a replacement.
    private let sendRequest: (String) -> Void
    /// The arbiter was asked, which it is once.
    private let hasAsked = Atomic(false)
    /// How it comes to be what other workers are forked from; nil where it does not.
    let refork: Refork?
    /// The process goes on when the worker has ended.
    let isKept = Atomic(false)
    /// One for each runner.
    let gauges: [RunnerGauge]

    /// - Throws: `SystemError` when the system gives no descriptors.
    init(
        configuration: WorkerConfiguration, reactor: Reactor, lifetime: SharedLifetime, commons: Commons?,
        requestReplacement: @escaping (String) -> Void
    ) throws(SystemError) {
        self.configuration = configuration
        self.reactor = reactor
        self.lifetime = lifetime
        self.commons = commons
        sendRequest = requestReplacement
        gauges = (0..<configuration.runners).map { _ in RunnerGauge() }
        watchdog = Watchdog(configuration, reportHang: configuration.reportHang)
        lastRunner = LastRunnerPolicy(runners: configuration.runners)
        attendance = configuration.mainThreadRuns ? nil : try WakePipe()
        requestLimit = configuration.requestLimit
        refork = configuration.refork.map(Refork.init)
        let waker = reactor.waker
        handOver = BatonHandOver(interruptPilot: { waker.wake() })
    }

    deinit { attendance?.close() }

    /// Whether a request that is known to be long has to leave this runner, the last free one, to short ones.
    func postpones(_ baton: borrowing Baton) -> Bool {
        !handOver.isAwaited && lastRunner.postpones(at: reactor.recently(baton))
    }

    /// The kernel's number of the runner's thread that took the baton last: of the one that lent it, if it is lent. Any
    /// thread.
    var driver: Int32 { driverID.load(ordering: .relaxed) }

    /// The calling thread, a runner's, took the baton.
    func noteDriver(_ id: Int32, _ baton: borrowing Baton) { driverID.store(id, ordering: .relaxed) }

    /// A request that was postponed and has its turn.
    @inline(__always)
    func nextPostponed(_ baton: borrowing Baton, on bench: Workbench) -> Exchange? {
        guard let (since, kind) = reactor.oldestPostponement(baton) else { return nil }
        guard
            handOver.isAwaited || lifetime.isLeaving
                || lastRunner.yields(
                    at: reactor.recently(baton), since: since, usual: promotion.usualDuration(kind),
                    othersWait: reactor.hasHeldRequests(baton))
        else { return nil }
        return reactor.nextPostponed(baton, on: bench)
    }

    /// How long a thread sleeps before it looks after the time, the parent and the end. That the baton goes from hand
    /// to hand does not rest on it (docs/design.md, "How the baton is proved").
    static let nap: Nanoseconds = .seconds(1)
    static let napMilliseconds: Int32 = 1000

    /// Milliseconds that a runner may sleep in the poller: not past the moment when the worker has to be gone.
    var longestPoll: Int32 {
        guard let deadline = lifetime.current.deadline else { return Self.napMilliseconds }
        let now = Clock.now()
        return deadline > now ? min(Self.napMilliseconds, Int32(min(deadline - now, Self.nap) / 1_000_000) + 1) : 1
    }

    /// Takes back the connections of runners that lost the baton. Before each poll, and after the waker was drained.
    @inline(__always)
    func settleReturns(_ baton: borrowing Baton) {
        if !returns.areNone { settle(returns.takeAll(), baton) }
    }

    private func settle(_ items: [Returns.Item], _ baton: borrowing Baton) {
        for item in items {
            promotion.note(item.kind, outlastedTick: item.outlastedTick)
            promotion.learn(item.kind, duration: item.duration)
            reactor.finish(item.exchange, baton)
            if let copy = item.copy { reactor.noteSlow(copy, item.exchange, baton) }
        }
    }

    /// Waits for events.
    ///
    /// - Parameter ignoringHeld: complete requests are no work for the pilot, which cannot run the application.
    /// - Returns: whether anything happened; false after the time is up or when a signal arrived.
    func poll(_ baton: borrowing Baton, milliseconds: Int32, ignoringHeld: Bool = false) -> Bool {
        var milliseconds = milliseconds
        if commons != nil {
            announce(baton)
            milliseconds = reactor.showWaiting(before: milliseconds, baton)
        }
        let isAnything = reactor.poll(baton, milliseconds: milliseconds, ignoringHeld: ignoringHeld)
        if reactor.isBroken { lifetime.receive(.breakDown(until: latestEnd)) }
        return isAnything
    }

    /// Says which lines of the access log were lost, if any were.
    func reportLostLines(_ gil: borrowing GIL) {
        guard let (count, cause) = telemetry.accessLog?.takeReport() else { return }
        telemetry.reportLost?(count, cause, gil)
    }

    /// Says which lines of the access log will never be written, since the process ends.
    func reportUnwrittenLines(_ gil: borrowing GIL) {
        guard let (count, cause) = telemetry.accessLog?.takeUnwritten() else { return }
        telemetry.reportLost?(count, cause, gil)
    }

    /// Tells Python's logger of requests that it has not heard of yet.
    func tellUntold(_ gil: borrowing GIL) {
        guard let (requests, tellRefused, tellLate) = telemetry.untold, !requests.isEmpty else { return }
        let (refused, lost, late) = requests.take()
        for request in refused { tellRefused(request, gil) }
        for request in late { tellLate(request, gil) }
        if lost > 0 { telemetry.reportLost?(lost, 0, gil) }
    }

    // MARK: The end

    /// When a worker that is told now to leave has to be gone: a little before the arbiter would kill it, so that it
    /// still writes its last lines.
    private var latestEnd: Nanoseconds {
        Clock.now() + configuration.gracefulTimeout - min(configuration.gracefulTimeout / 10, .milliseconds(200))
    }

    /// Has the worker replaced when this request is the last one of its share.
    @inline(__always)
    func countRequest(_ baton: borrowing Baton) {
        guard let requestLimit, reactor.requestCount(baton) >= requestLimit, !lifetime.isLeaving else { return }
        requestReplacement("it has served \(reactor.requestCount(baton)) requests")
    }

    /// Asks for another worker in place of this one. Its connections outlive it: it goes on until the other is there to
    /// take them. Any thread, any number of times.
    ///
    /// - Parameter reason: for the log.
    @inline(never)
    func requestReplacement(_ reason: @autoclosure () -> String) {
        guard !lifetime.isLeaving, !hasAsked.exchange(true, ordering: .relaxed) else { return }
        sendRequest(reason())
    }

    /// Ends the worker once the last request is answered. Any thread, any number of times.
    ///
    /// - Parameter toBeReplaced: the server goes on, and another worker takes the connections that wait in the backlog.
    func drain(toBeReplaced: Bool = false) {
        lifetime.receive(.drain(until: latestEnd, replaced: toBeReplaced))
        wakeAll()
    }

    /// Ends the worker without waiting for a request. For the main thread, which is about to raise SystemExit.
    func quit() {
        lifetime.receive(.quit(until: latestEnd))
        announceEnd()
        wakeAll()
    }

    /// Ends every thread that is not in the application. Any thread, any number of times.
    func end() {
        lifetime.receive(.end(until: latestEnd))
        announceEnd()
        wakeAll()
    }

    func wakeAll() {
        wakeThreads()
        attendance?.wake()
    }

    /// All but the main thread.
    func wakeThreads() {
        reactor.waker.wake()
        handOver.wakeRunners()
        handOver.wakePilot()
    }

    /// Drains when the arbiter is gone. Nobody would stop this worker otherwise.
    func checkParent() {
        if isOrphan { drain() }
    }

    var isOrphan: Bool { !Process.isFork && Process.parentID != configuration.parent }

    /// Whether the thread that has the baton is to end the worker: nothing is left to do, or no time to do it. Stops
    /// the listeners of a worker that is on its way out.
    func isDone(_ baton: borrowing Baton) -> Bool {
        let lifetime = lifetime.current
        // Quitting: the SystemExit may have come where exceptions go no further, in the log or in `close()`.
        if lifetime.endsAtOnce { return true }
        guard lifetime.isLeaving else { return false }
        askForMaster()
        reactor.leave(baton, takingBacklog: lifetime.takesBacklog)
        if lifetime.isOverdue(at: Clock.now()) { return true }
        guard reactor.unsettledCount(baton) <= givenUpCount else { return false }
        // Whoever leaves last ends what others posted in the meantime.
        return !lifetime.takesBacklog || reactor.adoptLeftBehind(baton) == 0
    }

    /// How many requests are in the application for which nobody waits. One that returns after all is waited for again:
    /// its response may still be on its way.
    private var givenUpCount: Int { gauges.count { $0.isGivenUp } }

    /// Stops the listeners of a worker that is on its way out.
    func beginClosing(_ baton: borrowing Baton) {
        let lifetime = lifetime.current
        if lifetime.isLeaving { askForMaster() }
        if lifetime.isLeaving { reactor.leave(baton, takingBacklog: lifetime.takesBacklog) }
    }
}
