internal import Platform
internal import Scheduling
internal import Synchronization
internal import Transport
internal import WSGI

/// The thread that keeps the worker going while applications run: it takes the baton from a runner whose application
/// outlasts a tick, and gives it to an idle runner or, when there is none, goes on with the I/O itself. It never touches
/// Python, and accepts no connection: that would take it from a worker that could serve it.
struct Pilot: @unchecked Sendable {
    // `@unchecked`: made on the main thread and then used by the pilot's alone.

    let crew: Crew
    /// Of the runner on the main thread, where there is one.
    private let mainGauge: RunnerGauge?
    private let bench: Workbench
    private let checks = Checks()

    /// When the watchdog looks next.
    private final class Checks {
        var next: Nanoseconds = 0
    }

    /// Glances without a loan before it sleeps until the next one.
    private static let idleGlances = 20

    init(crew: Crew, mainGauge: RunnerGauge?) {
        self.crew = crew
        self.mainGauge = mainGauge
        bench = Workbench(policy: crew.configuration.transport.policy)
    }

    func run() {
        serve()
        guardExit()
    }

    /// Sleeps until a worker that is on its way out has had the time for it, and then ends the process: neither a thread of
    /// the application that never ends nor a function of `atexit` that does not return may keep the arbiter from replacing
    /// it. A process that leaves in order ends this thread too. Where the arbiter stops the worker it comes first.
    private func guardExit() -> Never {
        let end = (crew.deadline ?? Clock.now() + crew.configuration.gracefulTimeout) + Watchdog.grace
        while true {
            let now = Clock.now()
            if now >= end { break }
            crew.exchange.sleep(end - now)
        }
        Watchdog.leave(
            "Worker cannot leave (pid:\(Process.id)): a thread or an exit function of the application does not end. "
                + "The process is ended.")
    }

    private func serve() {
        let exchange = crew.exchange
        var last: BatonObservation?
        var idle = 0
        while !crew.state.isQuitting, !crew.isOver {
            watch()
            guard let seen = exchange.observe() else {
                last = nil
                idle += 1
                if idle <= Self.idleGlances {
                    exchange.sleep(crew.configuration.tick)
                } else if let baton = exchange.claimUnwantedOffer() {
                    keep(baton)
                } else {
                    exchange.sleepUntilLent(timeout: untilNextCheck)
                }
                continue
            }
            idle = 0
            let isDue = seen == last || crew.isLentForLong.load(ordering: .relaxed)
            if isDue, let baton = exchange.retake(seen) {
                last = nil
                keep(baton)
            } else {
                last = seen
                exchange.sleep(crew.configuration.tick)
            }
        }
    }

    /// Has the baton until a runner wants it.
    private func keep(_ baton: consuming Baton) {
        guard var baton = crew.exchange.offerToWaitingRunner(baton) else { return }
        crew.reactor.setAccepting(false, baton)
        while true {
            crew.reactor.holdRequests(baton, on: bench)
            // After `serve`, which drains the waker: see `Runner.serveWhileHolding`.
            crew.settleReturns(baton)
            if crew.state.isDraining { crew.beginClosing(baton) }
            crew.reactor.setAccepting(true, baton)
            guard let kept = crew.exchange.offerToWaitingRunner(baton) else { return }
            baton = kept
            crew.reactor.setAccepting(false, baton)
            crew.reactor.poll(baton, milliseconds: Int32(untilNextCheck / 1_000_000) + 1, ignoringHeld: true)
            crew.checkParent()
            watch()
            // The main thread is on its way out, and needs nobody.
            if crew.isOver { return crew.exchange.offer(baton) }
            guard crew.isOverdue || crew.reactor.isBroken else { continue }
            // The runners are in applications that do not come back, and the arbiter, which would end this process, is
            // perhaps gone.
            guard crew.attendance != nil else { Process.exitImmediately(1) }
            crew.exchange.offer(baton)
            crew.end()
            return
        }
    }

    /// A nap at most: looks that are further apart than that mean that the process stood still (`RunningTime`).
    private var untilNextCheck: Nanoseconds {
        let now = Clock.now()
        return checks.next > now ? min(checks.next - now, Crew.nap) : 0
    }

    private func watch() {
        let now = Clock.now()
        guard now >= checks.next else { return }
        checks.next = now + Crew.nap
        crew.watchdog.check(mainGauge, at: now)
    }
}
