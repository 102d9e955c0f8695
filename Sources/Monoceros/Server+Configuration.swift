internal import Arbiter
internal import Platform
internal import ProxyWire
internal import Settings
internal import Supervision
internal import Transport
internal import WSGI
internal import Worker

/// The settings in the terms of the parts that they are for.
extension Server {
    func arbiterConfiguration(processName: String) -> ArbiterConfiguration {
        var arbiter = ArbiterConfiguration(
            terms: Terms(
                workers: configuration.workers, step: configuration.reloadStep,
                gracefulTimeout: .seconds(configuration.gracefulTimeout),
                bootTimeout: configuration.bootTimeout.map { .seconds($0) }),
            binds: configuration.bind, backlog: configuration.backlog)
        arbiter.umask = UInt32(configuration.umask)
        arbiter.owner = (configuration.user, configuration.group)
        arbiter.pidFile = configuration.pidfile
        arbiter.isDaemon = configuration.daemon
        arbiter.processName = processName
        arbiter.serverName = "monoceros \(host.version)"
        arbiter.workerClass = configuration.workerClass.rawValue
        return arbiter
    }

    /// Where large bodies wait. `TMPDIR` set to nothing is no directory.
    var spoolDirectory: String {
        if let directory = configuration.temporaryUploadDirectory { return directory }
        guard let directory = Process.environment("TMPDIR"), !directory.isEmpty else { return "/tmp" }
        return directory
    }

    func workerConfiguration(_ seat: WorkerSeat) -> WorkerConfiguration {
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

    /// Whoever may open a Unix socket is trusted. That is every user of the machine, unless the directory that it is in keeps
    /// them out: the socket itself is open to all, so that a web server which runs as another user reaches it.
    var trust: @Sendable (SocketAddress) -> PeerTrust {
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
