internal import Arbiter
internal import HTTPWire
internal import Platform
internal import ProxyWire
internal import PythonBridge
internal import Settings
internal import Transport
internal import WSGI
internal import Worker

/// Puts the parts together: the arbiter in this process, a worker in each child.
struct Server {
    let configuration: ServerConfiguration
    let host: Host

    /// Returns the exit status, in the arbiter alone: in a worker it ends with SystemExit, so that Python's own way out
    /// (`finally` blocks, `atexit`) is taken.
    ///
    /// - Throws: `PythonError`.
    func run(_ gil: inout GIL) throws(PythonError) -> Int32 {
        checkSpoolDirectory(gil)
        let arbiter = Arbiter(arbiterConfiguration, host: arbiterHost)
        switch arbiter.run() {
        case .exit(let status):
            return status
        case .worker(let seat):
            try work(seat, &gil)
            throw gil.raiseSystemExit(0)
        }
    }

    /// Says at the start what would otherwise come up with the first large upload. It may be put right meanwhile.
    private func checkSpoolDirectory(_ gil: borrowing GIL) {
        do throws(SystemError) {
            try Descriptor.unnamedFile(in: spoolDirectory).close()
        } catch {
            host.log(.warning, SpoolFailure(cause: error, directory: spoolDirectory).description, gil)
        }
    }

    /// The arbiter runs on the thread on which Python called us: the lock is held in all of these, but for the body of
    /// `blocking`, which does not touch Python.
    private var arbiterHost: ArbiterHost {
        ArbiterHost(
            log: { level, message in host.log(level, message, GIL.heldByCaller()) },
            beforeFork: { GIL.heldByCaller().beforeFork() },
            afterForkInParent: { GIL.heldByCaller().afterForkInParent() },
            afterForkInChild: { GIL.heldByCaller().afterForkInChild() },
            blocking: { body in
                var gil = GIL.heldByCaller()
                gil.released(body)
            },
            checkPythonSignals: {
                let gil = GIL.heldByCaller()
                do throws(PythonError) {
                    try gil.checkSignals()
                    return nil
                } catch {
                    host.logException("A signal handler raised in the arbiter", gil)
                    return 1
                }
            })
    }

    // MARK: In a worker

    private func work(_ seat: WorkerSeat, _ gil: inout GIL) throws(PythonError) {
        let lifetime = SharedLifetime()
        let control = WorkerControl(lifetime: lifetime, host: host)
        try host.installWorkerSignals(try WorkerControl.makeType(gil).wrap(control, gil), gil)

        let application = try host.loadApplication(gil)
        let types = try WSGITypes(gil)
        let worker: Worker
        do throws(SystemError) {
            worker = try Worker(
                configuration: workerConfiguration(seat),
                listeners: seat.listeners.map { ListenerSocket(descriptor: $0.descriptor) },
                types: types, lifetime: lifetime, trust: trust)
        } catch {
            throw gil.raise(.osError, "The worker cannot start: \(error).")
        }
        control.worker = worker
        try host.watchSignals(worker.signalDescriptor.rawValue, gil)
        // Told to leave while the application was loaded: its time begins now.
        if lifetime.isLeaving { worker.drain() }
        let errors = try host.errorsStream(gil)
        let report = try host.workerReport(gil)
        do throws(PythonError) {
            try worker.run(application: application.pointer, errors: errors.pointer, report: report, &gil)
        } catch {
            if worker.threadsLeftBehind > 0 { host.leaveThreadsBehind(worker.threadsLeftBehind, gil) }
            throw error
        }
        try host.ignoreFurtherSignals(gil)
        host.log(.info, "Worker exiting (pid: \(Process.id))", gil)
        if worker.threadsLeftBehind > 0 { host.leaveThreadsBehind(worker.threadsLeftBehind, gil) }
    }
}
