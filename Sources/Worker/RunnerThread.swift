internal import Platform
internal import PythonBridge

/// A runner on a thread that Python started, so that Python knows it by name, and so that what the application starts
/// from there inherits what Python's threads inherit.
final class RunnerThread {
    private let runner: Runner
    private let crew: Crew
    private let report: WorkerReport
    private let name: String

    init(_ runner: Runner, name: String, _ crew: Crew, _ report: WorkerReport) {
        self.runner = runner
        self.name = name
        self.crew = crew
        self.report = report
    }

    /// The object whose `run` is the thread's body.
    static func makeType(_ gil: borrowing GIL) throws(PythonError) -> NativeType {
        try NativeType.make(
            name: "monoceros.Runner", doc: "A thread that runs the application.",
            methods: [
                (
                    "run",
                    { handle, _, _, _ in
                        GIL.calledByPython { (gil) throws(PythonError) in
                            // Only instances of the type get here, and each carries a thread.
                            NativeType.payload(handle!, as: RunnerThread.self)!.run(&gil)
                            return gil.newNone()
                        }
                    }
                )
            ], gil)
    }

    private func run(_ gil: inout GIL) {
        Thread.setName(name)
        var python = PythonThread.current(&gil)
        let isOrderly = runner.run(&python)
        python.withGIL { gil in
            runner.gauge.leave()
            guard !isOrderly else { return }
            if crew.lifetime.isQuitting {
                gil.clearError()
            } else {
                // Threads are sized at the start. A worker that lacks one is replaced as a whole.
                report.threadDied(gil)
                crew.drain(toBeReplaced: true)
            }
        }
        crew.attendance?.wake()
    }
}
