internal import Platform
internal import PythonBridge
internal import Scheduling
internal import Transport

/// Writes of requests that run for long, while they do: a line in the log with the stack of the thread, once for each.
///
/// It has a thread of its own that may run Python, since a runner that is slow can be Python's main thread. It wakes
/// once a second, and takes Python's lock only when there is something to write.
final class SlowWatch {
    private let crew: Crew
    private let runners: [Runner]
    private let report: WorkerReport
    private let limit: Nanoseconds
    private var budget = LineBudget()
    /// By runner: the request that was told of last.
    private var told: [UInt64?]

    init(crew: Crew, runners: [Runner], report: WorkerReport, limit: Nanoseconds) {
        self.crew = crew
        self.runners = runners
        self.report = report
        self.limit = limit
        told = runners.map { _ in nil }
    }

    /// The object whose `run` is the thread's body.
    static func makeType(_ gil: borrowing GIL) throws(PythonError) -> NativeType {
        try NativeType.make(
            name: "monoceros.SlowWatch", doc: "A thread that writes of slow requests.",
            methods: [
                (
                    "run",
                    { handle, _, _, _ in
                        GIL.calledByPython { (gil) throws(PythonError) in
                            // Only instances of the type get here, and each carries a watch.
                            NativeType.payload(handle!, as: SlowWatch.self)!.run(&gil)
                            return gil.newNone()
                        }
                    }
                )
            ], gil)
    }

    private func run(_ gil: inout GIL) {
        Thread.setName("slow-watch")
        var python = PythonThread.current(&gil)
        while !crew.lifetime.current.endsAtOnce {
            python.detach()
            Thread.sleep(Crew.nap)
            for index in runners.indices { look(index, &python) }
        }
        python.withGIL { _ in }
    }

    private func look(_ index: Int, _ python: inout PythonThread) {
        let runner = runners[index]
        let now = Clock.now()
        guard let request = runner.gauge.request, request != told[index],
            let duration = runner.gauge.duration(at: now), duration >= limit
        else { return }
        told[index] = request
        guard budget.spend(at: now) else { return }
        python.withGIL { gil in
            // It may have ended while this thread waited for the lock.
            guard runner.gauge.request == request, let duration = runner.gauge.duration(at: Clock.now()) else { return }
            report.slow(runner.overdue(duration, gil), budget.takeSuppressed(), gil)
        }
    }
}
