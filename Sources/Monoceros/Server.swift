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
        let arbiter = Arbiter(
            ArbiterConfiguration(
                workers: configuration.workers, binds: configuration.bind, backlog: configuration.backlog,
                gracefulTimeout: .seconds(configuration.gracefulTimeout), serverName: "monoceros \(host.version)",
                workerClass: configuration.workerClass.rawValue),
            host: arbiterHost)
        switch arbiter.run() {
        case .exit(let status):
            return status
        case .worker(let seat):
            try work(seat, &gil)
            throw gil.raiseSystemExit(0)
        }
    }

    /// Where large bodies wait. `TMPDIR` set to nothing is no directory.
    private var spoolDirectory: String {
        if let directory = configuration.temporaryUploadDirectory { return directory }
        guard let directory = Process.environment("TMPDIR"), !directory.isEmpty else { return "/tmp" }
        return directory
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

    private func workerConfiguration(_ seat: WorkerSeat) -> WorkerConfiguration {
        var transport = TransportConfiguration()
        transport.policy = configuration.policy
        transport.proxyMode = configuration.proxyProtocol
        transport.streamsBodies = configuration.streamRequestBody
        transport.body.memory = configuration.requestBodyMemory
        transport.body.spoolDirectory = spoolDirectory
        transport.timeouts.head = .seconds(configuration.requestHeadTimeout)
        transport.timeouts.body = configuration.requestBodyTimeout.map { .seconds($0) } ?? 0
        transport.timeouts.write = configuration.responseWriteTimeout.map { .seconds($0) } ?? 0
        transport.timeouts.idle = .seconds(configuration.keepAlive)
        transport.maximumConnections = configuration.workerConnections
        // Where several workers share a listener, taking more than one connection at a time takes it from an idle one.
        transport.acceptBatch = configuration.workers > 1 ? 1 : 64

        var gateway = GatewayConfiguration()
        gateway.listeners = seat.listeners.map(Self.describe)
        gateway.serverSoftware = host.serverSoftware
        gateway.scriptName = configuration.rootPath
        gateway.isMultithreaded = configuration.workerClass == .gthread
        gateway.isMultiprocess = configuration.workers > 1
        gateway.usesSendFile = configuration.sendfile
        gateway.responseBuffer = configuration.responseBuffer

        var worker = WorkerConfiguration()
        worker.transport = transport
        worker.mainThreadRuns = configuration.workerClass == .sync
        worker.runners = worker.mainThreadRuns ? 1 : configuration.threads
        // With one runner there is nobody to give the baton to: the pilot only has to keep the I/O from standing still.
        worker.tick = worker.runners == 1 ? .milliseconds(5) : .milliseconds(2)
        worker.requestLimit = configuration.maxRequests.map { most in
            // Workers that were started together should not all be replaced together.
            most + Int.random(in: 0...configuration.maxRequestsJitter)
        }
        worker.requestTimeout = configuration.requestTimeout.map { .seconds($0) }
        worker.lockTimeout = configuration.timeout.map { .seconds($0) }
        worker.gateway = gateway
        worker.gracefulTimeout = .seconds(configuration.gracefulTimeout)
        worker.parent = seat.parentID
        return worker
    }

    private static func describe(_ listener: ListeningSocket) -> GatewayConfiguration.Listener {
        GatewayConfiguration.Listener(
            name: listener.address.host, port: listener.address.port.map { "\($0)" } ?? "",
            isUnix: listener.address.port == nil)
    }

    /// Whoever may open a Unix socket is trusted. That is every user of the machine, unless the directory that it is in
    /// keeps them out: the socket itself is open to all, so that a web server which runs as another user reaches it.
    private var trust: @Sendable (SocketAddress) -> PeerTrust {
        let forwarders = configuration.forwardedAllowIPs
        let announcers = configuration.proxyAllowIPs
        return { peer in
            guard let address = peer.ip else { return [.forwarding, .announcing] }
            var trust: PeerTrust = []
            if forwarders.contains(address) { trust.insert(.forwarding) }
            if announcers.contains(address) { trust.insert(.announcing) }
            return trust
        }
    }
}

extension SocketAddress {
    /// Nil for a Unix socket.
    fileprivate var ip: IPAddress? {
        switch self {
        case .ipv4(let address, _): .v4(address)
        case .ipv6(let address, _): .v6(address)
        case .unix: nil
        }
    }
}
