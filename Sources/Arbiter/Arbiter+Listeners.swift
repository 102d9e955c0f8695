internal import Platform
internal import Settings
internal import Supervision

extension Arbiter {
    /// How often an address in use is tried before the server gives up: its former server may be on its way out.
    private static let bindAttempts = 5
    /// Nanoseconds between two of them.
    private static let bindInterval = Nanoseconds.seconds(1)

    /// Listens on all addresses of the first configuration. Returns false, with one line in the log and nothing left
    /// open, when one of them cannot be had. A request to stop ends the attempts; the policy knows of it then.
    func bind(_ signals: SignalPipe) -> Bool {
        let configuration = current.configuration
        do throws(ListenError) {
            if let given = try takeGiven(configuration) {
                generations[1]!.listeners = given
                if let address = configuration.adminBind {
                    guard let socket = try listen(on: address, configuration, signals) else { return true }
                    generations[1]!.listeners.append(Listener(bind: address, socket: socket, isAdmin: true))
                }
                return tell(.listening(generation: 1, current.clientListeners))
            }
            var inherited = try adoptInherited(configuration)
            var listeners: [Listener] = []
            for address in configuration.binds {
                let isAdmin = address == configuration.adminBind
                if let index = inherited.firstIndex(where: { $0.socket.isAt(address) }) {
                    let socket = inherited.remove(at: index).socket
                    socket.sharePort(if: configuration.sharesPorts && !isAdmin)
                    listeners.append(Listener(bind: address, socket: socket, isAdmin: isAdmin))
                } else if let socket = try listen(on: address, configuration, signals) {
                    listeners.append(Listener(bind: address, socket: socket, isAdmin: isAdmin))
                } else {
                    return true
                }
                generations[1]!.listeners = listeners
            }
            for rest in inherited { rest.socket.close() }
            current.deferAccept()
        } catch {
            host.log(.error, "Can't connect to \(error)")
            closeListeners()
            return false
        }
        return tell(.listening(generation: 1, current.clientListeners))
    }

    /// The sockets that the service manager opened; nil when it did not. They are where the server listens, whatever
    /// the configuration says.
    private func takeGiven(_ configuration: ArbiterConfiguration) throws(ListenError) -> [Listener]? {
        let sockets: [InheritedSocket]
        do throws(InheritedSocketError) {
            sockets = try InheritedSocket.take()
        } catch {
            throw ListenError("the service manager's sockets", .descriptorUnusable("\(error)"))
        }
        if sockets.isEmpty { return nil }
        service.gaveSockets = true
        var listeners: [Listener] = []
        for given in sockets {
            let socket = try ListeningSocket.adopt(
                descriptor: given.descriptor.rawValue, backlog: configuration.backlog)
            listeners.append(Listener(bind: nil, socket: socket, isForeign: true))
        }
        return listeners
    }

    /// The sockets that the master before this one handed over.
    private func adoptInherited(_ configuration: ArbiterConfiguration) throws(ListenError) -> [Listener] {
        var listeners: [Listener] = []
        for number in succession.inherited {
            let socket = try ListeningSocket.adopt(
                descriptor: number, backlog: configuration.backlog, ownsFile: true)
            listeners.append(Listener(bind: nil, socket: socket))
        }
        return listeners
    }

    /// - Returns: nil when a signal asked to stop.
    private func listen(
        on address: BindAddress, _ configuration: ArbiterConfiguration, _ signals: SignalPipe
    ) throws(ListenError) -> ListeningSocket? {
        for attempt in 1... {
            do throws(ListenError) {
                return try ListeningSocket(address, configuration)
            } catch {
                guard error.reason == .addressInUse else { throw error }
                host.log(.error, "Connection in use: \(error.bind)")
                guard attempt < Self.bindAttempts else { throw error }
                host.log(.info, "Retrying in 1 second.")
            }
            let next = Clock.now() + Self.bindInterval
            // Any signal ends the sleep, and only some of them the server.
            while Clock.now() < next {
                sleep(signals, until: next)
                takeSignals(signals)
                guard supervisor.isServing else { return nil }
            }
        }
        return nil
    }

    /// Gives a new configuration its sockets: those that are there for its addresses, and new ones for the rest. An
    /// address in use is not waited for: there is a server that serves meanwhile.
    ///
    /// - Returns: false, with one line in the log and nothing changed, when an address cannot be had.
    func rebind(_ generation: inout Generation) -> Bool {
        var former = current.listeners
        let admin = generation.configuration.adminBind
        var addresses = generation.configuration.binds
        if service.gaveSockets {
            generation.listeners = former.filter { !$0.isAdmin }
            addresses = admin.map { [$0] } ?? []
        }
        var new: [ListeningSocket] = []
        for address in addresses {
            // What was for clients and is for the operator now, or the other way round, is another socket.
            let isAdmin = address == admin
            if let index = former.firstIndex(where: { $0.bind == address && $0.isAdmin == isAdmin }) {
                former[index].socket.sharePort(if: generation.configuration.sharesPorts && !isAdmin)
                generation.listeners.append(former.remove(at: index))
                continue
            }
            do throws(ListenError) {
                let socket = try ListeningSocket(address, generation.configuration)
                new.append(socket)
                generation.listeners.append(Listener(bind: address, socket: socket, isAdmin: isAdmin))
            } catch {
                host.log(.error, "Can't connect to \(error)")
                for socket in new { socket.closeAndRemoveFile() }
                generation.listeners = []
                return false
            }
        }
        if !new.isEmpty {
            host.log(.info, "Listening at: \(generation.clientListeners.map(\.url).joined(separator: ","))")
        }
        return true
    }

    /// Closes the sockets that only this configuration has.
    func retire(_ number: Int) {
        endMold(number)
        guard let gone = generations.removeValue(forKey: number) else { return }
        let kept = Set(generations.values.flatMap(\.listeners).map(\.socket.descriptor))
        for listener in gone.listeners where !kept.contains(listener.socket.descriptor) { close(listener) }
    }

    /// Closes the master's copies. Once the workers have closed theirs, the kernel refuses new connections instead of
    /// queueing them for nobody.
    ///
    /// - Parameter keepingAdmin: whether the operator's stays, so that workers tell what the end waits for.
    func closeListeners(keepingAdmin: Bool = false) {
        // They have copies too.
        for number in molds.keys { endMold(number) }
        var closed: Set<Descriptor> = []
        for number in generations.keys {
            let kept = generations[number]!.listeners.filter { keepingAdmin && $0.isAdmin }
            for listener in generations[number]!.listeners where !(keepingAdmin && listener.isAdmin) {
                if closed.insert(listener.socket.descriptor).inserted { close(listener) }
            }
            generations[number]!.listeners = kept
        }
    }

    private func close(_ listener: Listener) {
        // The other master's clients come by the same file.
        if succession.sharesSockets || listener.isForeign {
            listener.socket.close()
        } else {
            listener.socket.closeAndRemoveFile()
        }
    }
}

extension ListeningSocket {
    fileprivate init(_ address: BindAddress, _ configuration: ArbiterConfiguration) throws(ListenError) {
        let backlog = configuration.backlog
        self =
            switch address {
            // The operator asks one worker, whichever it is; of two servers on his port he would not know which.
            case .tcp(let host, let port):
                try .tcp(
                    host: host, port: port, backlog: backlog,
                    sharesPort: configuration.sharesPorts && address != configuration.adminBind)
            // Whoever may connect to the operator's socket may end the server.
            case .unix(let path) where address == configuration.adminBind:
                try .unix(path: path, umask: 0o177, backlog: backlog)
            case .unix(let path):
                try .unix(path: path, umask: configuration.umask, owner: configuration.owner, backlog: backlog)
            case .descriptor(let number): try .adopt(descriptor: number, backlog: backlog)
            }
    }

    /// Of a socket that was made before that was asked for. Where it cannot be done, workers have no sockets of their
    /// own, which they say.
    fileprivate func sharePort(if isWanted: Bool) {
        if isWanted, canHaveTwin { try? sharePort() }
    }

    /// Whether an inherited socket is what this address asks for.
    fileprivate func isAt(_ bind: BindAddress) -> Bool {
        switch (bind, address) {
        case (.unix(let path), .unix(let own)): return path == own
        case (.descriptor(let number), _): return descriptor.rawValue == number
        case (.tcp(let host, let port), .ipv4), (.tcp(let host, let port), .ipv6):
            let names = [host, host.isEmpty ? "0.0.0.0" : host, host == "localhost" ? "127.0.0.1" : host]
            return (port == 0 || port == address.port) && names.contains(address.host)
        default: return false
        }
    }
}
