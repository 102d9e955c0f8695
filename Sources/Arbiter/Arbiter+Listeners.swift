internal import Platform
internal import Settings
internal import Supervision

extension Arbiter {
    /// How often an address in use is tried before the server gives up: its former server may be on its way out.
    private static let bindAttempts = 5
    /// Nanoseconds between two of them.
    private static let bindInterval = Nanoseconds.seconds(1)

    /// Listens on all addresses. Returns false, with one line in the log and nothing left open, when one of them cannot
    /// be had. A request to stop ends the attempts; the policy knows of it then.
    func bind(_ signals: SignalPipe) -> Bool {
        for address in configuration.binds {
            do throws(ListenError) {
                guard let listener = try listen(on: address, signals) else { return true }
                listeners.append(listener)
            } catch {
                host.log(.error, "Can't connect to \(error)")
                closeListeners()
                return false
            }
        }
        return true
    }

    /// - Returns: nil when a signal asked to stop.
    private func listen(on address: BindAddress, _ signals: SignalPipe) throws(ListenError) -> ListeningSocket? {
        for attempt in 1... {
            do throws(ListenError) {
                return try ListeningSocket(address, backlog: configuration.backlog, umask: configuration.umask)
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

    /// Closes the master's copies. Once the workers have closed theirs, the kernel refuses new connections instead of
    /// queueing them for nobody.
    func closeListeners() {
        for listener in listeners { listener.closeAndRemoveFile() }
        listeners = []
    }
}

extension ListeningSocket {
    fileprivate init(_ address: BindAddress, backlog: Int32, umask: UInt32) throws(ListenError) {
        self =
            switch address {
            case .tcp(let host, let port): try .tcp(host: host, port: port, backlog: backlog)
            case .unix(let path): try .unix(path: path, umask: umask, backlog: backlog)
            case .descriptor(let number): try .adopt(descriptor: number, backlog: backlog)
            }
    }
}
