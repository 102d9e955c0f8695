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
    /// Runners whose request has taken too long: nobody waits for them.
    private let condemned = Atomic<Int>(0)

    /// - Throws: `SystemError` when the system gives no descriptors.
    init(configuration: WorkerConfiguration, reactor: Reactor, state: WorkerState) throws(SystemError) {
        self.configuration = configuration
        self.reactor = reactor
        self.state = state
        watchdog = Watchdog(configuration)
        lastRunner = LastRunnerPolicy(runners: configuration.runners)
        attendance = configuration.mainThreadRuns ? nil : try WakePipe()
        requestLimit = configuration.requestLimit
        let waker = reactor.waker
        exchange = BatonExchange(interruptPilot: { waker.wake() })
    }

    /// Whether a request that is known to be long has to leave this runner, the last free one, to short ones.
    func postpones(_ baton: borrowing Baton) -> Bool {
        !exchange.isAwaited && lastRunner.postpones(at: reactor.recently(baton))
    }

    /// A request that was postponed and has its turn.
    func nextPostponed(_ baton: borrowing Baton, on bench: Workbench) -> Connection? {
        guard reactor.hasPostponedRequests(baton),
            exchange.isAwaited || state.isDraining || lastRunner.yields(at: reactor.recently(baton))
        else { return nil }
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

    /// Gives a runner up whose request has taken too long, and with it this worker, once the others are done.
    func condemn() {
        condemned.add(1, ordering: .relaxed)
        drain(toBeReplaced: true)
    }

    /// Drains when the arbiter is gone. Nobody would stop this worker otherwise.
    func checkParent() {
        if !Process.isFork, Process.parentID != configuration.parent { drain() }
    }

    /// Whether a draining worker has nothing left to do, or no time left to do it.
    func isDone(_ baton: borrowing Baton) -> Bool {
        if reactor.isBroken { return true }
        guard state.isDraining else { return false }
        beginClosing(baton)
        return reactor.unsettledCount(baton) <= condemned.load(ordering: .relaxed) || isOverdue
    }

    func beginClosing(_ baton: borrowing Baton) {
        reactor.beginClosing(baton, takingBacklog: !isReplaced.load(ordering: .relaxed))
    }

    /// Whether a draining worker's time is up.
    var isOverdue: Bool {
        let deadline = drainDeadline.load(ordering: .relaxed)
        return deadline != 0 && Clock.now() >= deadline
    }
}
