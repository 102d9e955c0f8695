internal import Platform
internal import Scheduling
internal import Synchronization
internal import Telemetry
internal import Transport

/// The thread that keeps the worker going while applications run: it takes the baton from a runner whose application
/// outlasts a tick, and gives it to an idle runner or, when there is none, goes on with the I/O itself. It never
/// touches Python, and accepts a connection only when no other worker did: one of them could perhaps serve it at once.
/// Its loop is `PilotLoop`.
final class Pilot: @unchecked Sendable {
    // `@unchecked`: made on the main thread and then used by the pilot's alone.

    private let crew: Crew
    /// Of the runner on the main thread, where there is one.
    private let mainGauge: RunnerGauge?
    private let bench: Workbench
    /// When the watchdog looks next.
    private var nextCheck: Nanoseconds = 0
    private var recycling: RecyclingPolicy
    /// Of the loan that was seen last.
    private var excuse = ExcusePolicy()

    init(crew: Crew, mainGauge: RunnerGauge?) {
        self.crew = crew
        self.mainGauge = mainGauge
        bench = Workbench(policy: crew.configuration.transport.policy)
        recycling = RecyclingPolicy(
            lifetime: crew.configuration.longestLife, memory: crew.configuration.mostMemory, at: Clock.now())
    }

    /// The thread's body.
    func run() {
        PilotLoop(crew.handOver, self).run()
        guardExit()
    }

    /// Sleeps until a worker that is on its way out has had the time for it, and then ends the process: neither a
    /// thread of the application that never ends nor a function of `atexit` that does not return may keep the arbiter
    /// from replacing it. A process that leaves in order ends this thread too. Where the arbiter stops the worker it
    /// comes first. It returns in a process that goes on to have others forked from it.
    private func guardExit() {
        let deadline = crew.lifetime.current.deadline ?? Clock.now() + crew.configuration.gracefulTimeout
        let end = deadline + Watchdog.grace
        while true {
            if crew.isKept.load(ordering: .acquiring) { return }
            let now = Clock.now()
            if now >= end { break }
            crew.commons?.cell.heartbeat(now)
            crew.handOver.sleep(min(end - now, Crew.nap))
        }
        crew.telemetry.flush()
        Watchdog.leave(
            "Worker cannot leave (pid:\(Process.id)): a thread or an exit function of the application does not end. "
                + "The process is ended.")
    }
}

extension Pilot: PilotDuties {
    var tick: Nanoseconds { crew.configuration.tick }
    var idleGlances: Int { 20 }

    var isOver: Bool {
        let lifetime = crew.lifetime.current
        return lifetime.isQuitting || lifetime.hasEnded
    }

    /// The watchdog. A nap at most until it looks again: looks that are further apart than that mean that the process
    /// stood still (`RunningTime`).
    func check() -> Nanoseconds {
        let now = Clock.now()
        guard now >= nextCheck else { return nextCheck - now }
        nextCheck = now + Crew.nap
        crew.commons?.cell.heartbeat(now)
        crew.telemetry.statsd?.send()
        crew.watchdog.check(
            mainGauge, at: now, noteTimeout: { crew.commons?.cell.countApplicationTimeout() },
            beforeLeaving: { crew.telemetry.flush() })
        if let reason = recycling.verdict(
            at: now, resident: MemoryUse.resident, proportional: MemoryUse.proportional)
        {
            crew.requestReplacement(reason)
        }
        crew.lookAtRefork(at: now)
        return Crew.nap
    }

    func beginWatching() { excuse.begin(cpuTime: Thread.cpuTime(of: crew.driver)) }

    func excuses() -> Bool {
        let thread = crew.driver
        return excuse.excuses(
            cpuTime: Thread.cpuTime(of: thread), tick: tick, isRunnable: Thread.isRunnable(thread))
    }

    func setAccepting(_ accepts: Bool, _ baton: borrowing Baton) { crew.reactor.setAccepting(accepts, baton) }

    func doWork(_ baton: borrowing Baton) {
        crew.reactor.holdRequests(baton, on: bench)
        crew.settleReturns(baton)
        crew.shareStalled(baton)
        crew.beginClosing(baton)
    }

    func hasToLeave(_ baton: borrowing Baton) -> Bool {
        crew.checkParent()
        let lifetime = crew.lifetime.current
        // The main thread is on its way out, and needs nobody.
        if lifetime.hasEnded { return true }
        guard lifetime.isOverdue(at: Clock.now()) else { return false }
        // The runners are in applications that do not come back, and the arbiter, which would end this process, is
        // perhaps gone.
        guard crew.attendance != nil else {
            crew.telemetry.flush()
            Process.exitImmediately(1)
        }
        crew.end()
        return true
    }

    func poll(_ baton: borrowing Baton, timeout: Nanoseconds) {
        _ = crew.poll(baton, milliseconds: Int32(timeout / 1_000_000) + 1, ignoringHeld: true)
    }
}
