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
            wantsAccepting && !isClosing && now >= acceptBackOff
            && (connectionCount < configuration.maximumConnections || now >= crowdedUntil)
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
        guard acceptsLeft > 0, isAccepting else { return nil }
        guard connectionCount < configuration.maximumConnections else { return acceptIntoCrowd(from: index) }
        do throws(SystemError) {
            return try takeFromBacklog(of: index)
        } catch {
            return acceptAfter(error, from: index)
        }
    }

    /// All places are taken. The one that has idled for longest goes to whoever waits: a client that keeps its connection
    /// just in case must not keep others out. Where none idles, accepting pauses.
    private func acceptIntoCrowd(from index: Int) -> Connection? {
        guard let idle = longestIdle() else {
            crowdedUntil = now + Self.leastIdle
            updateAccepting()
            schedule(wakeAt: crowdedUntil)
            return nil
        }
        // Another worker may have been faster.
        guard let connection = try? takeFromBacklog(of: index) else { return nil }
        close(idle)
        return connection
    }

    /// Out of descriptors or memory: an idle connection may give way. If none does, trying again at once would spin.
    private func acceptAfter(_ error: SystemError, from index: Int) -> Connection? {
        // The kernel looks for a descriptor first, and only then whether anybody is there.
        guard listeners[index].descriptor.waitUntilReadable(milliseconds: 0) else { return nil }
        if let idle = longestIdle() {
            close(idle)
            if let connection = try? takeFromBacklog(of: index) { return connection }
        }
        acceptBackOff = now + .milliseconds(200)
        if now >= nextAcceptNotice {
            nextAcceptNotice = now + .seconds(60)
            note(
                .error,
                "Clients have to wait: \(error). Raise the limit of open files (ulimit -n), or lower --worker-connections."
            )
        }
        updateAccepting()
        schedule(wakeAt: acceptBackOff)
        return nil
    }

    /// How long a connection idles at least before it may be closed in favor of another: a client in the middle of its work
    /// is not cut off between two requests.
    static let leastIdle: Nanoseconds = 1_000_000_000

    /// The connection that has waited for another request for longest, and for long enough. It goes through all of them;
    /// only who has no room left asks.
    private func longestIdle() -> Connection? {
        while true {
            var found: Connection?
            for case let connection? in table {
                guard case .idle = connection.phase, connection.requestCount > 0, !connection.isQueued,
                    connection.deadline < found?.deadline ?? .max
                else { continue }
                found = connection
            }
            guard let found, now + configuration.timeouts.idle >= found.deadline + Self.leastIdle else { return nil }
            guard found.socket.waitUntilReadable(milliseconds: 0) else { return found }
            // It has just sent its next request, whose event comes later in this batch.
            found.mayBeReadable = true
            enqueue(found)
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
            phase: configuration.proxyMode == nil ? .idle : .preamble, poller: poller)
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
                connection.socket, Connection.watchedEvents, payload: connection.payload)
        } catch {
            note(.error, "A connection cannot be watched and is closed: \(error).")
            close(connection)
        }
    }
}
