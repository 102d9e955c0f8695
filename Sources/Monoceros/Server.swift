internal import Admin
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
        let configurations = Configurations(first: configuration)
        let allowance: SpoolAllowance
        do throws(SystemError) {
            allowance = try makeSpoolAllowance()
        } catch {
            throw gil.raise(.osError, "The server cannot start: \(error).")
        }
        let arbiter = Arbiter(
            arbiterConfiguration(processName: host.processName), host: arbiterHost(configurations))
        var outcome = arbiter.run()
        while true {
            switch outcome {
            case .exit(let status):
                return status
            case .worker(let seat):
                let server = Server(configuration: configurations[seat.generation], host: host)
                switch try server.serve(seat, allowance, &gil) {
                case .leaves: throw gil.raiseSystemExit(0)
                // Comes back in each worker that is forked from it.
                case .becomesMold: outcome = arbiter.becomeMold(seat)
                }
            }
        }
    }

    /// What a worker does when it has served.
    private enum WorkerEnd {
        case leaves
        /// Others are forked from it (`refork_after`).
        case becomesMold
    }

    /// Says at the start what would otherwise come up with the first large upload. It may be put right meanwhile.
    private func checkSpoolDirectory(_ gil: borrowing GIL) {
        do throws(SystemError) {
            try Descriptor.unnamedFile(in: spoolDirectory).close()
        } catch {
            host.log(.warning, SpoolFailure(cause: error, directory: spoolDirectory).description, gil)
        }
    }

    // MARK: In a worker

    /// Runs a worker, and has Python told when it ends.
    ///
    /// - Throws: `PythonError`: a SystemExit, so that no frame above takes the failure of a worker for its own.
    private func serve(
        _ seat: WorkerSeat, _ allowance: SpoolAllowance, _ gil: inout GIL
    ) throws(PythonError) -> WorkerEnd {
        var isReady = false
        do throws(PythonError) {
            let booted = try boot(seat, allowance, &gil)
            isReady = true
            if try run(booted, &gil) == .becomesMold { return .becomesMold }
        } catch {
            _ = host.failWorker(isReady: isReady, gil)
            let exception = gil.takeException()
            host.endWorker(gil)
            throw gil.restore(exception)
        }
        host.endWorker(gil)
        return .leaves
    }

    /// A worker that serves, and what it says.
    private struct Booted {
        let worker: Worker
        let control: WorkerControl
        let report: WorkerReport
    }

    /// A worker that has a place among the others, and has not loaded the application.
    private struct Begun {
        let seat: WorkerSeat
        let lifetime: SharedLifetime
        let commons: Commons?
        let control: WorkerControl
        let admin: AdminService?
    }

    /// Gives a worker its place, and loads the application in it. Whatever of it fails, fails before anybody was told
    /// that it serves.
    private func boot(
        _ seat: WorkerSeat, _ allowance: SpoolAllowance, _ gil: inout GIL
    ) throws(PythonError) -> Booted {
        let begun = try begin(seat, allowance, gil)
        do throws(PythonError) {
            return try finish(begun, allowance, gil)
        } catch {
            if let admin = begun.admin { gil.released { admin.stop() } }
            throw error
        }
    }

    private func begin(
        _ seat: WorkerSeat, _ allowance: SpoolAllowance, _ gil: borrowing GIL
    ) throws(PythonError) -> Begun {
        var seat = seat
        // As gunicorn, before any hook and before the user changes.
        let remarks = configuration.reusePort ? seat.bindOwnListeners() : []
        try host.beginWorker(gil)
        for remark in remarks { host.log(.warning, remark, gil) }
        // The kernel forgets it when the user changes.
        if let isThere = try? seat.followMaster(), !isThere { throw gil.raiseSystemExit(0) }
        let lifetime = SharedLifetime()
        let commons = seat.openCell()
        let control = WorkerControl(lifetime: lifetime, host: host)
        try host.installWorkerSignals(try WorkerControl.makeType(gil).wrap(control, gil), gil)

        if let (means, cell) = seat.shared, let file = means.stacks(of: cell) {
            let port = means.stackPorts.indices.contains(cell) ? means.stackPorts[cell] : nil
            try host.beginStacks(file, bell: port?.bell, gil)
        }
        do throws(SystemError) {
            let admin = try adminConfiguration(seat, commons, allowance).map(AdminService.init)
            if let admin, commons?.areOthersServing == false {
                // Nobody else can say that the server starts, or where it hangs. The application may fork while it is
                // loaded: such a child has no thread of ours.
                Process.noteForks()
                try admin.start(in: lifetime, beside: commons)
            }
            return Begun(seat: seat, lifetime: lifetime, commons: commons, control: control, admin: admin)
        } catch {
            throw gil.raise(.osError, "The worker cannot answer the operator: \(error).")
        }
    }

    /// Loads the application, and tells everybody that the worker serves.
    private func finish(
        _ begun: Begun, _ allowance: SpoolAllowance, _ gil: borrowing GIL
    ) throws(PythonError) -> Booted {
        let (seat, lifetime, commons, control) = (begun.seat, begun.lifetime, begun.commons, begun.control)
        let application = try host.loadApplication(reports: seat.reports, gil)
        let types = try WSGITypes(gil)
        // Before anybody could come: from here on a worker that is told to leave serves first whom it has.
        try host.announceWorker(gil)
        let worker: Worker
        do throws(SystemError) {
            // Whoever comes by them waits for this worker alone.
            try seat.startListening(backlog: configuration.backlog)
            worker = try Worker(
                configuration: workerConfiguration(seat, allowance),
                listeners: seat.listeners.map { ListenerSocket(descriptor: $0.descriptor) }
                    + seat.ownListeners.map { ListenerSocket(own: $0.socket.descriptor, beside: $0.shared.descriptor) },
                types: types, lifetime: lifetime, trust: trust, commons: commons,
                admin: begun.admin, health: healthEndpoint(commons),
                requestReplacement: { [seat] in seat.requestReplacement($0) })
        } catch {
            throw gil.raise(.osError, "The worker cannot start: \(error).")
        }
        control.worker = worker
        try host.watchSignals(worker.signalDescriptor.rawValue, gil)
        // Told to leave while the application was loaded: its time begins now.
        if lifetime.isLeaving { worker.drain() }
        let errors = try host.errorsStream(gil)
        let report = try host.workerReport(gil)
        let telemetry = try host.workerTelemetry(
            configuration, listeners: seat.allListeners.map(\.descriptor), gil)
        try worker.prepare(
            application: application.pointer, errors: errors.pointer, report: report, telemetry: telemetry, gil)
        // In this order: whoever leaves because this one is ready must see it on the scoreboard.
        worker.announce()
        seat.reportReady()
        return Booted(worker: worker, control: control, report: report)
    }

    private func run(_ booted: Booted, _ gil: inout GIL) throws(PythonError) -> WorkerEnd {
        let worker = booted.worker
        do throws(PythonError) {
            try worker.run(report: booted.report, &gil)
        } catch {
            if worker.threadsLeftBehind > 0 { host.leaveThreadsBehind(worker.threadsLeftBehind, gil) }
            throw error
        }
        try host.ignoreFurtherSignals(gil)
        if worker.isChosen {
            booted.control.worker = nil
            worker.endThreads()
            if host.becomeMold(gil) { return .becomesMold }
        }
        host.log(.info, "Worker exiting (pid: \(Process.id))", gil)
        if worker.threadsLeftBehind > 0 {
            for request in worker.unfinishedRequests(gil) { host.logUnfinished(request, gil) }
            host.leaveThreadsBehind(worker.threadsLeftBehind, gil)
        }
        return .leaves
    }
}
