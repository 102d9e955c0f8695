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
    /// When a draining worker leaves, whatever is still under way; 0 until it drains.
    private let drainDeadline = Atomic<UInt64>(0)

    init(configuration: WorkerConfiguration, reactor: Reactor, state: WorkerState) {
        self.configuration = configuration
        self.reactor = reactor
        self.state = state
        let waker = reactor.waker
        exchange = BatonExchange(interruptPilot: { waker.wake() })
    }

    /// How long a thread sleeps before it looks after signals, the parent, and the end: the fallback for a wake-up lost in
    /// the moment between the look and the sleep.
    static let nap: Nanoseconds = .seconds(1)
    static let napMilliseconds: Int32 = 1000

    /// Done by whoever has the baton, before it polls.
    func settleReturns(_ baton: borrowing Baton) {
        for item in returns.takeAll() { reactor.finish(item.connection, baton, persist: item.persists) }
    }

    /// Ends the worker once the last request is answered. Any thread, any number of times.
    func drain() {
        state.drain()
        _ = drainDeadline.compareExchange(
            expected: 0, desired: Clock.now() + configuration.gracefulTimeout, ordering: .relaxed)
        wakeAll()
    }

    func wakeAll() {
        reactor.waker.wake()
        exchange.wakePilot()
    }

    /// Drains when the arbiter is gone. Nobody would stop this worker otherwise.
    func checkParent() {
        if !Process.isFork, Process.parentID != configuration.parent { drain() }
    }

    /// Whether a draining worker has nothing left to do, or no time left to do it.
    func isDone(_ baton: borrowing Baton) -> Bool {
        if reactor.isBroken { return true }
        guard state.isDraining else { return false }
        reactor.beginClosing(baton)
        return reactor.isDrained(baton) || isOverdue
    }

    /// Whether a draining worker's time is up.
    var isOverdue: Bool {
        let deadline = drainDeadline.load(ordering: .relaxed)
        return deadline != 0 && Clock.now() >= deadline
    }
}
