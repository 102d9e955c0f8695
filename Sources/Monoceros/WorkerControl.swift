internal import PythonBridge
internal import WSGI
internal import Worker

/// What a worker's signal handlers call. They run on the main thread, where `worker` is set.
final class WorkerControl {
    private let state: WorkerState
    private let host: Host
    /// Nil until the application is loaded.
    var worker: Worker?

    init(state: WorkerState, host: Host) {
        self.state = state
        self.host = host
    }

    private func terminate() {
        state.drain()
        worker?.drain()
    }

    private func quit() {
        state.quit()
        worker?.drain()
    }

    /// SIGABRT: says what took too long, if that is the reason.
    private func abort(_ gil: borrowing GIL) {
        if let overdue = worker?.interruptedRequest(gil) { host.logOverdue(overdue, gil) }
        quit()
    }

    static func makeType(_ gil: borrowing GIL) throws(PythonError) -> NativeType {
        try NativeType.make(
            name: "monoceros.WorkerControl", doc: "Ends a worker.",
            methods: [
                (
                    "terminate",
                    { control, _, _, _ in
                        GIL.calledByPython { (gil) throws(PythonError) in
                            WorkerControl.of(control).terminate()
                            return gil.newNone()
                        }
                    }
                ),
                (
                    "quit",
                    { control, _, _, _ in
                        GIL.calledByPython { (gil) throws(PythonError) in
                            WorkerControl.of(control).quit()
                            return gil.newNone()
                        }
                    }
                ),
                (
                    "abort",
                    { control, _, _, _ in
                        GIL.calledByPython { (gil) throws(PythonError) in
                            WorkerControl.of(control).abort(gil)
                            return gil.newNone()
                        }
                    }
                ),
            ], gil)
    }

    /// Only instances of the type get here, and each carries a control.
    private static func of(_ object: PyPointer?) -> WorkerControl {
        NativeType.payload(object!, as: WorkerControl.self)!
    }
}
