internal import Platform
internal import PythonBridge
internal import Scheduling
internal import Telemetry
internal import Transport

/// What Python's main thread does where it is no runner: it lets Python run signal handlers, which Python does on its
/// main thread alone, and watches over the runners. It never runs the application, so a signal never waits for a
/// request.
struct Attendant {
    private let crew: Crew
    private let runners: [Runner]
    private let report: WorkerReport
    private let pipe: WakePipe
    /// Milliseconds between two signs of life, of which the watchdog must see several.
    private let nap: Int32
    /// Runners whose threads are gone.
    private var lost: Set<Int> = []
    /// How long the runners' requests have been running.
    private var clocks: [RunningTime]

    init(crew: Crew, runners: [Runner], pipe: WakePipe, report: WorkerReport) {
        self.crew = crew
        self.runners = runners
        self.pipe = pipe
        self.report = report
        let patience = crew.configuration.lockTimeout ?? .max
        clocks = runners.map { _ in RunningTime(nap: Crew.nap) }
        nap = min(Crew.napMilliseconds, Int32(clamping: patience / 4_000_000))
    }

    /// Returns when the worker is to end.
    ///
    /// - Returns: false when a signal handler raised: that exception is set.
    mutating func run(_ python: inout PythonThread) -> Bool {
        while !crew.lifetime.current.hasEnded {
            python.detach()
            // The time until here was spent waiting for Python's lock, and requests ran in it.
            let before = Clock.now()
            for index in clocks.indices { clocks[index].resume(at: before) }
            pipe.wait(milliseconds: nap)
            pipe.drain()
            let overdue = overdueRunners(at: Clock.now())
            crew.checkParent()
            do throws(PythonError) {
                try python.withGIL { (gil) throws(PythonError) in
                    try gil.checkSignals()
                    crew.attendRefork(report, gil)
                }
            } catch {
                return false
            }
            crew.watchdog.noteMainThread(at: Clock.now())
            for (index, began) in overdue { giveUp(index, began, &python) }
            replaceLost(&python)
            let lifetime = crew.lifetime.current
            if lifetime.endsAtOnce || lifetime.isOverdue(at: Clock.now()) { return true }
        }
        return true
    }

    /// The runners whose requests take too long, and when those began.
    private mutating func overdueRunners(at now: Nanoseconds) -> [(index: Int, began: Nanoseconds)] {
        guard let limit = crew.configuration.requestTimeout else { return [] }
        return runners.indices.compactMap { index in
            guard let began = runners[index].gauge.began, clocks[index].look(at: now, since: began) > limit,
                !runners[index].gauge.isGivenUp
            else { return nil }
            return (index, began)
        }
    }

    /// Gives a request up that takes too long, and with it this worker, once the others are done.
    private func giveUp(_ index: Int, _ began: Nanoseconds, _ python: inout PythonThread) {
        let runner = runners[index]
        // It may have returned meanwhile.
        guard runner.gauge.began == began, let duration = runner.gauge.duration(at: Clock.now()) else { return }
        runner.gauge.giveUp(requestOf: began)
        crew.commons?.cell.countApplicationTimeout()
        python.withGIL { gil in report.overdue(runner.overdue(duration, gil), gil) }
        crew.drain(toBeReplaced: true)
    }

    /// Gives the worker up when a runner's thread is gone, once the others are done.
    private mutating func replaceLost(_ python: inout PythonThread) {
        for (index, runner) in runners.enumerated() where !lost.contains(index) && runner.gauge.isLost {
            lost.insert(index)
            if let began = runner.gauge.began { runner.gauge.giveUp(requestOf: began) }
            python.withGIL { gil in
                report.notice(.error, "The thread runner-\(index + 1) is gone: the worker is replaced.", gil)
            }
            crew.drain(toBeReplaced: true)
        }
    }

    /// Waits until the runners have left that are not in the application.
    ///
    /// - Returns: how many are in it.
    func dismiss(_ python: inout PythonThread) -> Int {
        crew.end()
        python.detach()
        let deadline = Clock.now() + Self.patience
        while Clock.now() < deadline, runners.contains(where: { !$0.gauge.isGone && !$0.gauge.isBusy }) {
            crew.wakeThreads()
            pipe.wait(milliseconds: 10)
            pipe.drain()
        }
        return runners.count { !$0.gauge.isGone }
    }

    private static let patience = Nanoseconds.seconds(1)
}
