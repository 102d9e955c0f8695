internal import Platform
public import Scheduling

/// New connections: when to take them, and from whom.
extension Reactor {
    /// Says whether connections should be accepted. A worker whose runners are all busy leaves them to other workers, so its
    /// listeners leave the poller: a listener that is watched but not served would keep the connection from everybody.
    public func setAccepting(_ wanted: Bool, _ baton: borrowing Baton) {
        wantsAccepting = wanted
        if !wanted { updateAccepting() }
    }

    /// Brings the poller in line with what is wanted and possible. Done before each poll, so that a worker that is busy for
    /// just a moment changes nothing.
    func updateAccepting() {
        let accepts =
            wantsAccepting && !isClosing && connectionCount < configuration.maximumConnections
            && now >= acceptBackOff
        guard accepts != isAccepting else { return }
        isAccepting = accepts
        for (index, listener) in listeners.enumerated() {
            if accepts {
                // Level-triggered, and not EPOLLEXCLUSIVE: that wakes one worker and takes its word for it. A worker that is
                // woken for a connection and, in the same batch, begins a long request would leave the connection to
                // nobody while others idle. That idle workers wake for nothing now and then costs them idle time.
                do {
                    try poller.add(listener.descriptor, .readable, payload: Payload.listener | UInt64(index))
                } catch {
                    note(.error, "A listener cannot be watched: \(error).")
                }
            } else {
                try? poller.remove(listener.descriptor)
            }
        }
    }

    /// The next connection of a listener that has some. Nil when it has no more, or had its share.
    func acceptNext(from index: Int) -> Connection? {
        if acceptsLeft == 0 { acceptsLeft = configuration.acceptBatch + 1 }
        acceptsLeft -= 1
        guard acceptsLeft > 0, isAccepting, connectionCount < configuration.maximumConnections else { return nil }
        do throws(SystemError) {
            return try takeFromBacklog(of: index)
        } catch {
            // Out of descriptors or memory: trying again at once would spin. Open connections will free some.
            acceptBackOff = now + .milliseconds(200)
            note(
                .error,
                "Accepting pauses for 0.2 s: \(error). Raise the limit of open files or lower worker_connections.")
            updateAccepting()
            schedule(wakeAt: acceptBackOff)
            return nil
        }
    }

    /// The next connection that waits in a listener's backlog; nil when none does.
    ///
    /// - Throws: `SystemError` when the system has no room for it.
    func takeFromBacklog(of index: Int) throws(SystemError) -> Connection? {
        while true {
            do throws(SystemError) {
                guard case .processed(let (socket, peer)) = try listeners[index].descriptor.accept() else { return nil }
                return admit(socket, peer, listener: index)
            } catch  where error.errno.concernsOneConnection {
                // Something befell the connection while it waited: the next one may be there.
                continue
            }
        }
    }

    private func admit(_ socket: Descriptor, _ peer: SocketAddress, listener: Int) -> Connection {
        generation = (generation &+ 1) & 0x3FFF_FFFF
        let connection = Connection(
            socket: socket, peer: peer, listener: listener, trust: trust(peer), generation: generation,
            phase: configuration.proxyMode == nil ? .idle : .preamble)
        let index = Int(socket.rawValue)
        while table.count <= index { table.append(nil) }
        table[index] = connection
        connectionCount += 1
        setDeadline(connection, after: configuration.timeouts.head)
        return connection
    }

    /// Watches a connection for edges, if it is not watched yet. An edge that came before is reported too.
    func watch(_ connection: Connection) {
        guard !connection.isWatched else { return }
        connection.isWatched = true
        noteDeadline(connection)
        do {
            try poller.add(
                connection.socket, [.readable, .writable, .peerClosed, .edgeTriggered], payload: connection.payload)
        } catch {
            note(.error, "A connection cannot be watched and is closed: \(error).")
            close(connection)
        }
    }
}
