internal import Arbiter
internal import PythonBridge
internal import Transport
internal import Worker
internal import WSGI

/// The Python object that does what only Python can: python/monoceros/host.py.
struct Host {
    private let object: PyPointer
    private let log: PyPointer
    let serverSoftware: String
    let version: String

    init(_ object: PyPointer, _ gil: borrowing GIL) throws(PythonError) {
        gil.retain(object)
        self.object = object
        log = try gil.attribute(object, "log").leak()
        serverSoftware = gil.text(try gil.attribute(object, "server_software").pointer) ?? ""
        version = gil.text(try gil.attribute(object, "version").pointer) ?? ""
    }

    /// - Parameter level: of Python's `logging`.
    private func log(_ level: Int, _ message: String, _ gil: borrowing GIL) {
        do throws(PythonError) {
            _ = try gil.call(log, try gil.integer(level).pointer, try gil.string(message).pointer)
        } catch {
            // The logger itself failed: CPython's own last resort prints it.
            gil.writeUnraisable()
        }
    }

    func log(_ level: LogLevel, _ message: String, _ gil: borrowing GIL) {
        switch level {
        case .debug: log(10, message, gil)
        case .info: log(20, message, gil)
        case .warning: log(30, message, gil)
        case .error: log(40, message, gil)
        case .critical: log(50, message, gil)
        }
    }

    /// Logs the exception that is set.
    func logException(_ message: String, _ gil: borrowing GIL) {
        let exception = gil.takeException()
        guard let report = try? gil.attribute(object, "log_exception") else { return gil.writeUnraisable() }
        let called = try? gil.call(
            report.pointer, (try? gil.string(message))?.pointer ?? gil.none(), exception.type.pointer,
            exception.value.pointer, exception.traceback.pointer)
        if called == nil { gil.writeUnraisable() }
    }

    func workerReport(_ gil: borrowing GIL) throws(PythonError) -> WorkerReport {
        WorkerReport(
            notice: { level, text, gil in
                switch level {
                case .debug: self.log(.debug, text, gil)
                case .warning: self.log(.warning, text, gil)
                case .error: self.log(.error, text, gil)
                }
            },
            application: ApplicationLog(try gil.attribute(object, "log_exception").pointer, gil))
    }

    func errorsStream(_ gil: borrowing GIL) throws(PythonError) -> PyRef { try gil.attribute(object, "errors_stream") }

    /// - Throws: `PythonError`: a SystemExit with the worker's exit status, after the reason was reported.
    func loadApplication(_ gil: borrowing GIL) throws(PythonError) -> PyRef {
        try gil.call(try gil.attribute(object, "load_application").pointer)
    }

    func installWorkerSignals(
        quit: PyPointer, terminate: PyPointer, _ gil: borrowing GIL
    ) throws(PythonError) {
        _ = try gil.call(try gil.attribute(object, "install_worker_signals").pointer, quit, terminate)
    }
}
