internal import Arbiter
internal import Platform
internal import PythonBridge
internal import Transport
internal import WSGI
internal import Worker

/// The Python object that does what only Python can: python/monoceros/host.py.
struct Host {
    let object: PyPointer
    private let log: PyPointer
    let serverSoftware: String
    let version: String
    /// What the processes of the first configuration are called.
    let processName: String

    init(_ object: PyPointer, _ gil: borrowing GIL) throws(PythonError) {
        gil.retain(object)
        self.object = object
        log = try gil.attribute(object, "log").leak()
        serverSoftware = gil.text(try gil.attribute(object, "server_software")) ?? ""
        version = gil.text(try gil.attribute(object, "version")) ?? ""
        processName = gil.text(try gil.attribute(object, "process_name")) ?? ""
    }

    func log(_ level: LogLevel, _ message: String, _ gil: borrowing GIL) {
        do throws(PythonError) {
            _ = try gil.call(log, try gil.integer(level.number), try gil.string(message))
        } catch {
            // The logger itself failed: CPython's own last resort prints it.
            gil.writeUnraisable()
        }
    }

    /// Whether a line of a level would be written.
    func writes(_ level: LogLevel, _ gil: borrowing GIL) -> Bool {
        do throws(PythonError) {
            let answer = try gil.call(try gil.attribute(object, "log_enabled"), try gil.integer(level.number))
            return try gil.isTrue(answer.pointer)
        } catch {
            gil.writeUnraisable()
            return false
        }
    }

    /// Logs the exception that is set.
    func logException(_ message: String, _ gil: borrowing GIL) {
        let exception = gil.takeException()
        do throws(PythonError) {
            _ = try gil.call(
                try gil.attribute(object, "log_exception"), try gil.string(message), exception.type, exception.value,
                exception.traceback)
        } catch {
            gil.writeUnraisable()
        }
    }

    func workerReport(_ gil: borrowing GIL) throws(PythonError) -> WorkerReport {
        let notice = { (level: Notice.Level, text: String, gil: borrowing GIL) in
            self.log(LogLevel(level), text, gil)
        }
        var report = WorkerReport(
            notice: notice,
            application: ApplicationLog(
                try gil.attribute(object, "log_exception"), forkEnd: try gil.attribute(object, "leave_fork"),
                isWritten: { level, gil in self.writes(LogLevel(level), gil) }, line: notice, gil),
            overdue: { overdue, gil in self.logOverdue(overdue, gil) },
            slow: { slow, suppressed, gil in self.logSlow(slow, suppressed, gil) },
            startDaemon: { (name, run, gil) throws(PythonError) in
                _ = try gil.call(try gil.attribute(self.object, "start_daemon"), try gil.string(name), run)
            },
            startThread: { (name, run, gil) throws(PythonError) in
                _ = try gil.call(try gil.attribute(self.object, "start_thread"), try gil.string(name), run)
            },
            threadDied: { gil in self.logException("A thread of the worker died: the worker is replaced", gil) })
        report.hasForeignThreads = { own, gil in self.hasForeignThreads(own, gil) }
        return report
    }

    /// Whether threads run that are not the server's, which is logged once.
    ///
    /// - Parameter own: the kernel's numbers of the server's that Python has not started.
    private func hasForeignThreads(_ own: [Int32], _ gil: borrowing GIL) -> Bool {
        do throws(PythonError) {
            let list = try gil.list()
            for number in own { try gil.append(list.pointer, try gil.integer(Int(number))) }
            return try gil.isTrue(try gil.call(try gil.attribute(object, "has_foreign_threads"), list))
        } catch {
            gil.writeUnraisable()
            return true
        }
    }

    /// Logs that a request takes too long, and where its thread is.
    func logOverdue(_ overdue: OverdueRequest, _ gil: borrowing GIL) { log(overdue, by: "log_overdue", gil) }

    /// Logs that a worker leaves although a request runs, and where its thread is.
    func logUnfinished(_ request: OverdueRequest, _ gil: borrowing GIL) { log(request, by: "log_unfinished", gil) }

    private func log(_ request: OverdueRequest, by method: String, _ gil: borrowing GIL) {
        do throws(PythonError) {
            let seconds = request.duration / 1_000_000_000
            _ = try gil.call(
                try gil.attribute(object, method), try gil.string(request.request),
                try gil.integer(Int(seconds)), try gil.integer(request.thread))
        } catch {
            gil.writeUnraisable()
        }
    }

    /// Logs that a request runs for long.
    func logSlow(_ slow: OverdueRequest, _ suppressed: Int, _ gil: borrowing GIL) {
        do throws(PythonError) {
            _ = try gil.call(
                try gil.attribute(object, "log_slow"), try gil.string(slow.request),
                try gil.integer(Int(slow.duration / 1_000_000)), try gil.integer(slow.thread),
                try gil.integer(suppressed))
        } catch {
            gil.writeUnraisable()
        }
    }

    /// Ends the process although threads are still in the application, with the status of the exception that is set, if
    /// one is. Returns only when that failed.
    func leaveThreadsBehind(_ count: Int, _ gil: borrowing GIL) {
        let exception = gil.isErrorSet ? gil.takeException() : nil
        do throws(PythonError) {
            let method = try gil.attribute(object, "leave_threads_behind")
            if let exception {
                _ = try gil.call(method, try gil.integer(count), exception.value)
            } else {
                _ = try gil.call(method, try gil.integer(count), gil.none())
            }
        } catch {
            gil.writeUnraisable()
        }
        Process.exitImmediately(1)
    }

    func errorsStream(_ gil: borrowing GIL) throws(PythonError) -> PyRef { try gil.attribute(object, "errors_stream") }

    /// - Throws: `PythonError`: a SystemExit with the worker's exit status, after the reason was reported.
    ///
    /// - Parameter reports: where to tell which files the code comes from; nil when nobody watches them.
    func loadApplication(reports: Descriptor?, _ gil: borrowing GIL) throws(PythonError) -> PyRef {
        let load = try gil.attribute(object, "load_application")
        guard let reports else { return try gil.call(load) }
        return try gil.call(load, try gil.integer(Int(reports.rawValue)))
    }

    /// - Parameter descriptor: of the worker's signal pipe.
    func watchSignals(_ descriptor: Int32, _ gil: borrowing GIL) throws(PythonError) {
        _ = try gil.call(try gil.attribute(object, "watch_signals"), try gil.integer(Int(descriptor)))
    }

    /// - Parameters:
    ///   - stacks: to which this worker writes where its threads are, when the master asks.
    ///   - bell: by which the operator asks for it; nil where nobody can.
    func beginStacks(_ stacks: StackFile, bell: Waker?, _ gil: borrowing GIL) throws(PythonError) {
        _ = try gil.call(
            try gil.attribute(object, "begin_stacks"), try gil.integer(bell.map { Int($0.descriptor.rawValue) } ?? -1),
            try gil.integer(Int(stacks.file.rawValue)))
    }

    func ignoreFurtherSignals(_ gil: borrowing GIL) throws(PythonError) {
        _ = try gil.call(try gil.attribute(object, "ignore_further_signals"))
    }

    /// - Parameter control: a `WorkerControl`.
    func installWorkerSignals(_ control: borrowing some PythonObject, _ gil: borrowing GIL) throws(PythonError) {
        _ = try gil.call(try gil.attribute(object, "install_worker_signals"), control)
    }
}

extension LogLevel {
    fileprivate init(_ level: Notice.Level) {
        self =
            switch level {
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
    }

    /// The level in Python's `logging`.
    fileprivate var number: Int {
        switch self {
        case .debug: 10
        case .info: 20
        case .warning: 30
        case .error: 40
        case .critical: 50
        }
    }
}
