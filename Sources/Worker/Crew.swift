internal import Platform
internal import Scheduling
internal import Synchronization
internal import Transport
internal import WSGI

/// What the threads of a worker share. The reactor is in it, but only who has the baton touches that.
final class Crew: @unchecked Sendable {
    // `@unchecked`: `reactor` is not safe by itself. Every method of it takes the baton, and there is one baton.
    let reactor: Reactor
    let exchange: BatonExchange
    let state: WorkerState
    let returns = Returns()
    /// The baton is lent for a request that is known to be long, by the last free runner: the pilot need not wait for a tick.
    let isLentForLong = Atomic<Bool>(false)
    let configuration: WorkerConfiguration
    let watchdog: Watchdog
    /// What the main thread waits on where it is no runner; nil where it is one.
    let attendance: WakePipe?
    /// How requests of a kind went; only for who has the baton.
    var promotion = PromotionPolicy()
    /// The same for who takes the last free runner.
    var lastRunner: LastRunnerPolicy
    /// Requests after which the worker is replaced; nil for any number.
    private let requestLimit: Int?
    /// When a draining worker leaves, whatever is still under way; 0 until it drains.
    private let drainDeadline = Atomic<UInt64>(0)
    private let hasEnded = Atomic<Bool>(false)
    private let isReplaced = Atomic<Bool>(false)
    /// One for each runner.
    let gauges: [RunnerGauge]

    /// - Throws: `SystemError` when the system gives no descriptors.
    init(configuration: WorkerConfiguration, reactor: Reactor, state: WorkerState) throws(SystemError) {
        self.configuration = configuration
        self.reactor = reactor
        self.state = state
        gauges = (0..<configuration.runners).map { _ in RunnerGauge() }
        watchdog = Watchdog(configuration)
        lastRunner = LastRunnerPolicy(runners: configuration.runners)
        attendance = configuration.mainThreadRuns ? nil : try WakePipe()
        requestLimit = configuration.requestLimit
        let waker = reactor.waker
        exchange = BatonExchange(interruptPilot: { waker.wake() })
    }

    /// Whether a request that is known to be long has to leave this runner, the last free one, to short ones. If so, it is
    /// the caller's to postpone it.
    func postpones(_ baton: borrowing Baton) -> Bool {
        guard !exchange.isAwaited, lastRunner.postpones(at: reactor.recently(baton)) else { return false }
        lastRunner.postponed(at: reactor.recently(baton))
        return true
    }

    /// A request that was postponed and has its turn.
    func nextPostponed(_ baton: borrowing Baton, on bench: Workbench) -> Connection? {
        guard reactor.hasPostponedRequests(baton),
            exchange.isAwaited || state.isDraining || lastRunner.yields(at: reactor.recently(baton))
        else { return nil }
        lastRunner.resumed()
        return reactor.nextPostponed(baton, on: bench)
    }

    /// How long a thread sleeps before it looks after the time, the parent and the end. That the baton goes from hand to hand
    /// does not rest on it (docs/design.md, "How the baton is proved").
    static let nap: Nanoseconds = .seconds(1)
    static let napMilliseconds: Int32 = 1000

    /// Done by whoever has the baton, before it polls.
    func settleReturns(_ baton: borrowing Baton) {
        for item in returns.takeAll() {
            promotion.note(item.kind, outlastedTick: item.outlastedTick)
            reactor.finish(item.connection, baton, persist: item.persists)
        }
    }

    /// Closes the worker to further requests when this one is the last that it should serve.
    @inline(__always)
    func countRequest(_ baton: borrowing Baton) {
        guard let requestLimit, reactor.requestCount(baton) >= requestLimit, !state.isDraining else { return }
        reactor.note(.info, "Autorestarting worker after current request.", baton)
        drain(toBeReplaced: true)
        reactor.beginClosing(baton, takingBacklog: false)
    }

    /// Ends the worker once the last request is answered. Any thread, any number of times.
    ///
    /// - Parameter toBeReplaced: the server goes on, and with it whoever takes the connections that wait in the backlog.
    func drain(toBeReplaced: Bool = false) {
        if toBeReplaced { isReplaced.store(true, ordering: .relaxed) }
        state.drain()
        _ = drainDeadline.compareExchange(
            expected: 0, desired: Clock.now() + configuration.gracefulTimeout, ordering: .relaxed)
        wakeAll()
    }

    /// Ends every thread that is not in the application. Any thread, any number of times.
    func end() {
        hasEnded.store(true, ordering: .releasing)
        wakeAll()
    }

    var isOver: Bool { hasEnded.load(ordering: .acquiring) }

    func wakeAll() {
        wakeThreads()
        attendance?.wake()
    }

    /// All but the main thread.
    func wakeThreads() {
        reactor.waker.wake()
        exchange.wakeRunners()
        exchange.wakePilot()
    }

    /// Drains when the arbiter is gone. Nobody would stop this worker otherwise.
    func checkParent() {
        if !Process.isFork, Process.parentID != configuration.parent { drain() }
    }

    /// Whether a draining worker has nothing left to do, or no time left to do it.
    func isDone(_ baton: borrowing Baton) -> Bool {
        // Quitting: the SystemExit may have come where exceptions go no further, in the log or in `close()`.
        if reactor.isBroken || state.isQuitting { return true }
        guard state.isDraining else { return false }
        beginClosing(baton)
        return reactor.unsettledCount(baton) <= givenUpCount || isOverdue
    }

    /// How many requests are in the application for which nobody waits. One that returns after all is waited for again: its
    /// response may still be on its way.
    private var givenUpCount: Int { gauges.count { $0.isGivenUp } }

    func beginClosing(_ baton: borrowing Baton) {
        reactor.beginClosing(baton, takingBacklog: !isReplaced.load(ordering: .relaxed))
    }

    /// When a draining worker's time is up; nil for one that does not drain.
    var deadline: Nanoseconds? {
        let deadline = drainDeadline.load(ordering: .relaxed)
        return deadline == 0 ? nil : deadline
    }

    /// Whether a draining worker's time is up.
    var isOverdue: Bool {
        guard let deadline else { return false }
        return Clock.now() >= deadline
    }
}
