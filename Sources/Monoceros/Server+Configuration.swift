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
                workers: configuration.workers, step: step,
                gracefulTimeout: .seconds(configuration.gracefulTimeout),
                bootTimeout: configuration.bootTimeout.map { .seconds($0) }, awaitsMending: configuration.reload),
            binds: configuration.bind + (configuration.adminBind.map { [$0] } ?? []), backlog: configuration.backlog)
        arbiter.deferAccept = configuration.deferAccept
        arbiter.sharesPorts = configuration.reusePort
        arbiter.runners = runners
        arbiter.silenceTimeout = configuration.timeout.map { .seconds($0) }
        arbiter.umask = UInt32(configuration.socketUmask)
        arbiter.adminBind = configuration.adminBind
        arbiter.owner = (configuration.user, configuration.group)
        if configuration.reload { arbiter.reloadEngine = configuration.reloadEngine == "poll" ? .poll : .inotify }
        arbiter.preloads = configuration.preloadApp
        arbiter.pidFile = configuration.pidfile
        // Time enough for the master to replace a worker that hangs, and for the next one to boot.
        arbiter.allowedSilence = configuration.timeout.map { .seconds($0 + (configuration.bootTimeout ?? 60)) }
        arbiter.isDaemon = configuration.daemon
        arbiter.processName = processName
        arbiter.serverName = "monoceros \(host.version)"
        arbiter.workerClass = configuration.workerClass.rawValue
        return arbiter
    }

    /// Who develops does not wait for old workers to leave before new code is tried.
    private var step: Int { configuration.reload ? max(configuration.reloadStep, 8) : configuration.reloadStep }

    /// Where large bodies wait. `TMPDIR` set to nothing is no directory.
    var spoolDirectory: String {
        if let directory = configuration.temporaryUploadDirectory { return directory }
        guard let directory = Process.environment("TMPDIR"), !directory.isEmpty else { return "/tmp" }
        return directory
    }

    /// What the files of all workers may have together, by default. To be made before the first of them is forked.
    ///
    /// - Throws: `SystemError` when there is no memory for it.
    func makeSpoolAllowance() throws(SystemError) -> SpoolAllowance {
        try SpoolAllowance(limit: FileSystemSpace.freeBytes(in: spoolDirectory).map { $0 / 2 })
    }

    /// The same under the limit that is set, if one is.
    private func limited(_ allowance: SpoolAllowance) -> SpoolAllowance {
        switch configuration.spoolLimit {
        // Another name for the same: a place in it is a process's.
        case nil: allowance.limited(to: allowance.limit)
        case 0: allowance.limited(to: nil)
        case let limit?: allowance.limited(to: limit)
        }
    }

    func workerConfiguration(_ seat: WorkerSeat, _ allowance: SpoolAllowance) -> WorkerConfiguration {
        var worker = WorkerConfiguration(
            transport: transportConfiguration(limited(allowance)), gateway: gatewayConfiguration(seat),
            runners: runners,
            mainThreadRuns: configuration.workerClass == .sync,
            requestLimit: configuration.maxRequests.map { most in
                // Workers that were started together should not all be replaced together.
                most + Int.random(in: 0...configuration.maxRequestsJitter)
            },
            longestLife: configuration.maxWorkerLifetime.map { most in
                .seconds(most) + .random(in: 0...(.seconds(configuration.maxWorkerLifetimeJitter)))
            },
            mostMemory: configuration.maxWorkerMemory,
            requestTimeout: configuration.requestTimeout.map { .seconds($0) },
            lockTimeout: configuration.timeout.map { .seconds($0) },
            // With one runner and no other worker there is nobody to give the baton, or a connection, to: the pilot
            // only has to keep the I/O from standing still.
            tick: runners == 1 && configuration.workers == 1 ? .milliseconds(5) : .milliseconds(2),
            gracefulTimeout: .seconds(configuration.gracefulTimeout), workers: configuration.workers,
            parent: seat.parentID)
        worker.refork = refork(seat)
        worker.reportHang = { seat.reportHang($0) }
        worker.slowRequestLog = configuration.slowRequestLog.map { .seconds($0) }
        return worker
    }

    /// Nil where workers do not become what others are forked from. One that watches its files has code that changes.
    func refork(_ seat: WorkerSeat) -> ReforkTerms? {
        guard let requests = configuration.reforkAfter, !configuration.reload else { return nil }
        return ReforkTerms(
            requests: requests, offer: { seat.offerMold() }, isChosen: { seat.isPromoted })
    }

    private var runners: Int { configuration.workerClass == .sync ? 1 : configuration.threads }

    private func transportConfiguration(_ allowance: SpoolAllowance) -> TransportConfiguration {
        TransportConfiguration(
            policy: configuration.policy, proxyMode: configuration.proxyProtocol,
            body: BodyLimits(memory: configuration.requestBodyMemory, spoolDirectory: spoolDirectory),
            timeouts: Timeouts(
                head: .seconds(configuration.requestHeadTimeout), idle: .seconds(configuration.keepAlive),
                body: configuration.requestBodyTimeout.map { .seconds($0) } ?? 0,
                write: configuration.responseWriteTimeout.map { .seconds($0) } ?? 0),
            maximumConnections: configuration.workerConnections,
            // Where several workers share a listener, taking more than one connection at a time takes it from an idle
            // one.
            acceptBatch: configuration.workers > 1 ? 1 : 64, sharesListeners: configuration.workers > 1,
            streamsBodies: configuration.streamRequestBody, bufferMemory: configuration.bufferMemory,
            spoolAllowance: allowance, responseWait: .seconds(configuration.responseWait))
    }

    private func gatewayConfiguration(_ seat: WorkerSeat) -> GatewayConfiguration {
        GatewayConfiguration(
            listeners: seat.allListeners.map(Self.describe), serverSoftware: host.serverSoftware,
            scriptName: configuration.rootPath, isMultithreaded: configuration.workerClass == .gthread,
            isMultiprocess: configuration.workers > 1, usesSendFile: configuration.sendfile,
            responseBuffer: configuration.responseBuffer, responseSpool: configuration.responseSpool)
    }

    private static func describe(_ listener: ListeningSocket) -> GatewayConfiguration.Listener {
        GatewayConfiguration.Listener(
            name: listener.address.host, port: listener.address.port.map { "\($0)" } ?? "",
            isUnix: listener.address.port == nil)
    }

    /// Whoever may open a Unix socket is trusted: its user and group, unless `umask` lets others.
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
