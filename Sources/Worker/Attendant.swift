internal import Platform
internal import PythonBridge
internal import Transport

/// What Python's main thread does where it is no runner: it lets Python run signal handlers, which Python does on its main
/// thread alone, and watches over the runners. It never runs the application, so a signal never waits for a request.
struct Attendant {
    private let crew: Crew
    private let runners: [Runner]
    private let report: WorkerReport
    private let pipe: WakePipe
    /// Milliseconds between two signs of life, of which the watchdog must see several.
    private let nap: Int32
    /// Runners that were given up.
    private var condemned: Set<Int> = []

    init(crew: Crew, runners: [Runner], pipe: WakePipe, report: WorkerReport) {
        self.crew = crew
        self.runners = runners
        self.pipe = pipe
        self.report = report
        let patience = crew.configuration.lockTimeout ?? .max
        nap = min(Crew.napMilliseconds, Int32(clamping: patience / 4_000_000))
    }

    /// Returns when the worker is to end.
    ///
    /// - Returns: false when a signal handler raised: that exception is set.
    mutating func run(_ python: inout PythonThread) -> Bool {
        while !crew.isOver {
            python.detach()
            pipe.wait(milliseconds: nap)
            pipe.drain()
            crew.checkParent()
            do throws(PythonError) {
                try python.withGIL { (gil) throws(PythonError) in try gil.checkSignals() }
            } catch {
                return false
            }
            crew.watchdog.noteMainThread(at: Clock.now())
            condemnOverdue(&python)
            condemnLost(&python)
            if crew.isOverdue { return true }
        }
        return true
    }

    private mutating func condemnOverdue(_ python: inout PythonThread) {
        guard let limit = crew.configuration.requestTimeout else { return }
        let now = Clock.now()
        for (index, runner) in runners.enumerated() where !condemned.contains(index) {
            guard let duration = runner.gauge.duration(at: now), duration > limit else { continue }
            condemned.insert(index)
            python.withGIL { gil in report.overdue(runner.overdue(duration, gil), gil) }
            crew.condemn()
        }
    }

    private mutating func condemnLost(_ python: inout PythonThread) {
        for (index, runner) in runners.enumerated() where !condemned.contains(index) && runner.gauge.isLost {
            condemned.insert(index)
            python.withGIL { gil in
                report.notice(.error, "The thread runner-\(index + 1) is gone: the worker is replaced.", gil)
            }
            crew.condemn()
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
