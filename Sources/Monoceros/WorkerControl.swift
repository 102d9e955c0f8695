internal import PythonBridge
internal import Worker

/// What a worker's signal handlers call. They run on the main thread, where `worker` is set.
final class WorkerControl {
    private let lifetime: SharedLifetime
    private let host: Host
    /// Nil until the application is loaded.
    var worker: Worker?

    init(lifetime: SharedLifetime, host: Host) {
        self.lifetime = lifetime
        self.host = host
    }

    private func terminate() {
        guard let worker else { return lifetime.receive(.drain(until: Lifetime.never, replaced: false)) }
        worker.drain()
    }

    private func quit() {
        guard let worker else { return lifetime.receive(.quit(until: Lifetime.never)) }
        worker.quit()
    }

    /// SIGABRT: says what took too long, if that is the reason.
    ///
    /// - Returns: whether it is.
    private func abort(_ gil: borrowing GIL) -> Bool {
        let overdue = worker?.interruptedRequest(gil)
        if let overdue { host.logOverdue(overdue, gil) }
        quit()
        return overdue != nil
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
                            PyRef(retaining: gil.bool(WorkerControl.of(control).abort(gil))).leak()
                        }
                    }
                ),
                (
                    "is_quitting",
                    { control, _, _, _ in
                        GIL.calledByPython { (gil) throws(PythonError) in
                            PyRef(retaining: gil.bool(WorkerControl.of(control).lifetime.isQuitting)).leak()
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
