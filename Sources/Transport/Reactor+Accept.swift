internal import HTTPServer
internal import Platform
public import Scheduling
internal import Telemetry

/// New connections: when to take them, and from whom.
extension Reactor {
    /// Says whether connections should be accepted. A worker whose runners are all busy leaves them to other workers,
    /// so its listeners leave the poller: a listener that is watched but not served would keep the connection from
    /// everybody.
    public func setAccepting(_ wanted: Bool, _ baton: borrowing Baton) {
        admission.isWanted = wanted
        if !wanted { updateAccepting() }
    }

    /// Brings the poller in line with what is wanted and possible. Done before each poll, so that a worker that is busy
    /// for just a moment changes nothing.
    func updateAccepting() {
        updateRelay()
        let isLeaving = isClosing || isParting
        guard let accepts = admission.change(now: now, count: connections.count, isClosing: isLeaving) else { return }
        for (index, listener) in listeners.enumerated() {
            if accepts {
                // Level-triggered, and not EPOLLEXCLUSIVE: that wakes one worker and takes its word for it. A worker
                // that is woken for a connection and, in the same batch, begins a long request would leave the
                // connection to nobody while others idle. That idle workers wake for nothing now and then costs them
                // idle time.
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
        guard admission.takesAnother() else { return nil }
        guard !admission.isFull(count: connections.count) else { return acceptIntoCrowd(from: index) }
        do throws(SystemError) {
            return try takeFromBacklog(of: index)
        } catch {
            return acceptAfter(error, from: index)
        }
    }

    /// All places are taken. The one that has idled for longest goes to whoever waits: a client that keeps its
    /// connection just in case must not keep others out, and one that never asked for anything even less. Where none
    /// idles, accepting pauses.
    private func acceptIntoCrowd(from index: Int) -> Connection? {
        guard let idle = whoGivesWay() else {
            schedule(wakeAt: admission.pauseInCrowd(now: now))
            updateAccepting()
            return nil
        }
        let connection: Connection?
        do throws(SystemError) {
            connection = try takeFromBacklog(of: index)
        } catch {
            return acceptAfter(error, from: index)
        }
        // Another worker may have been faster.
        guard let connection else { return nil }
        close(idle)
        return connection
    }

    /// Out of descriptors or memory: an idle connection may give way. If none does, trying again at once would spin.
    private func acceptAfter(_ error: SystemError, from index: Int) -> Connection? {
        // The kernel looks for a descriptor first, and only then whether anybody is there.
        guard listeners[index].descriptor.waitUntilReadable(milliseconds: 0) else { return nil }
        if let idle = whoGivesWay() {
            close(idle)
            if let connection = try? takeFromBacklog(of: index) { return connection }
        }
        let pause = admission.pauseExhausted(now: now)
        if pause.isNews {
            note(
                .error,
                "Clients have to wait: \(error). Raise the limit of open files (ulimit -n), or lower --worker-connections."
            )
        }
        schedule(wakeAt: pause.until)
        updateAccepting()
        return nil
    }

    /// The connection that has waited for longest, and for long enough, without having asked for anything. It goes
    /// through all of them, which only a worker without room does.
    private func whoGivesWay() -> Connection? {
        while true {
            var found: (connection: Connection, candidate: Admission.Candidate)?
            for connection in connections {
                guard let candidate = candidate(connection), candidate.mayGiveWay(now: now),
                    candidate.goes(before: found?.candidate)
                else { continue }
                found = (connection, candidate)
            }
            guard let (connection, _) = found else { return nil }
            guard connection.channel.waitUntilReadable(milliseconds: 0) else { return connection }
            // It has just sent a request, whose event comes later in this batch.
            connection.mayBeReadable = true
            enqueue(connection)
        }
    }

    /// Since when a connection has made no progress; nil for one that does not give way. Its deadline tells.
    private func candidate(_ connection: Connection) -> Admission.Candidate? {
        guard connection.awaitsRequest, !connection.isQueued, connection.deadline != 0 else { return nil }
        return connection.session.requestCount == 0
            ? Admission.Candidate(stage: .silent, since: connection.deadline &- configuration.timeouts.head)
            : Admission.Candidate(stage: .idle, since: connection.deadline &- configuration.timeouts.idle)
    }

    /// The next connection that waits in a listener's backlog; nil when none does.
    ///
    /// - Throws: `SystemError` when the system has no room for it.
    func takeFromBacklog(of index: Int) throws(SystemError) -> Connection? {
        while true {
            do throws(SystemError) {
                guard case .processed(let (socket, peer)) = try listeners[index].descriptor.accept() else { return nil }
                sharing?.commons.cell.countAccepted()
                return adopt(socket, peer: peer, listener: index)
            } catch  where error.errno.concernsOneConnection {
                // Something befell the connection while it waited: the next one may be there.
                continue
            }
        }
    }

    /// Makes a socket one of this worker's connections: the one way in, wherever it comes from. It is closed with the
    /// connection.
    ///
    /// - Parameter listener: the one that accepted it, here or elsewhere.
    func adopt(_ socket: Descriptor, peer: SocketAddress, listener: Int) -> Connection {
        let connection = Connection(
            channel: Channel(socket: socket), peer: peer, listener: listener, trust: trust(peer),
            generation: connections.nextGeneration(),
            life: ConnectionLife(startsWithPreamble: configuration.proxyMode != nil),
            session: HTTP1Session(keepsAlive: configuration.keepsAlive), poller: poller, isShared: sharing != nil)
        connections.insert(connection)
        setDeadline(connection, after: configuration.timeouts.head)
        return connection
    }
}
