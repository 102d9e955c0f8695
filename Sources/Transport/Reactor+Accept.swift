internal import HTTPServer
internal import Platform
public import Scheduling
internal import Telemetry

/// New connections: when to take them, and from whom.
extension Reactor {
    /// Says whether a runner is there to serve new connections. A worker whose runners are all busy leaves them to
    /// other workers for a moment (`Admission`).
    public func setAccepting(_ wanted: Bool, _ baton: borrowing Baton) {
        admission.isWanted = wanted
        if !wanted { updateAccepting() }
    }

    /// Brings the poller in line with what is wanted and possible. Done before each poll, so that a worker that is busy
    /// for just a moment changes nothing.
    func updateAccepting() {
        updateRelay()
        let before = admission.attention
        let isLeaving = isClosing || isParting
        guard let attention = admission.change(now: now, count: connections.count, isClosing: isLeaving) else { return }
        for (index, listener) in listeners.enumerated() {
            // Who takes what comes watches level-triggered, and not EPOLLEXCLUSIVE: that wakes one worker and takes its
            // word for it. A worker that is woken for a connection and, in the same batch, begins a long request would
            // leave the connection to nobody while others idle. That idle workers wake for nothing now and then costs
            // them idle time. Who leaves it to others hears of each arrival once.
            let events: PollEvents = attention == .late ? [.readable, .edgeTriggered] : .readable
            let payload = Payload.listener | UInt64(index)
            do throws(SystemError) {
                switch (before, attention) {
                case (_, .none): try? poller.remove(listener.descriptor)
                case (.none, _): try poller.add(listener.descriptor, events, payload: payload)
                default: try poller.change(listener.descriptor, events, payload: payload)
                }
            } catch {
                note(.error, "A listener cannot be watched: \(error).")
            }
        }
    }

    /// A listener has something that this worker does not take now: it looks again later.
    func noteArrival() {
        if let moment = admission.noteArrival(now: now) { schedule(wakeAt: moment) }
    }

    /// Takes what no other worker took. Its requests queue behind those that came before.
    func acceptLate() {
        for index in listeners.indices {
            var left = Admission.lateShare
            while left > 0, let connection = acceptOne(from: index) {
                enqueue(connection)
                left -= 1
            }
            if left == 0 { noteArrival() }
        }
    }

    /// The next connection of a listener that has some. Nil when it has no more, or had its share.
    func acceptNext(from index: Int) -> Connection? {
        admission.takesAnother() ? acceptOne(from: index) : nil
    }

    private func acceptOne(from index: Int) -> Connection? {
        guard !admission.isFull(count: connections.count) else { return acceptIntoCrowd(from: index) }
        do throws(SystemError) {
            return try takeFromBacklog(of: index)
        } catch {
            return acceptAfter(error, from: index)
        }
    }

    /// All places are taken. Who has made no progress for longest makes room for whoever waits: a client that keeps its
    /// connection just in case must not keep others out, nor one that does not go on with its request. Where all do,
    /// accepting pauses.
    private func acceptIntoCrowd(from index: Int) -> Connection? {
        let (stalled, moment) = whoGivesWay()
        guard let stalled else {
            // The last that came may have been the last there is.
            let isAwaited = listeners[index].descriptor.waitUntilReadable(milliseconds: 0)
            schedule(wakeAt: admission.pauseInCrowd(until: moment, isAwaited: isAwaited, now: now))
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
        giveWay(stalled)
        return connection
    }

    /// Out of descriptors or memory: a connection may give way. If none does, or the cause is another, trying again at
    /// once would spin.
    private func acceptAfter(_ error: SystemError, from index: Int) -> Connection? {
        // The kernel looks for a descriptor first, and only then whether anybody is there.
        guard listeners[index].descriptor.waitUntilReadable(milliseconds: 0) else { return nil }
        let failure = DescriptorFailure(error.errno)
        if failure == .lost {
            // Other processes have the listener too, so the poller goes on telling of it.
            if !isBroken { note(.error, "The worker cannot accept and leaves: \(error). \(failure.advice)") }
            isBroken = true
        }
        if failure.isShortage, let stalled = whoGivesWay().connection {
            giveWay(stalled)
            if let connection = try? takeFromBacklog(of: index) { return connection }
        }
        let pause = admission.pauseExhausted(now: now, isShortage: failure.isShortage)
        if pause.isNews, failure != .lost { note(.error, "Clients have to wait: \(error). \(failure.advice)") }
        schedule(wakeAt: pause.until)
        updateAccepting()
        return nil
    }

    /// The next connection that waits in a listener's backlog; nil when none does.
    ///
    /// - Throws: `SystemError` when the system has no room for it.
    func takeFromBacklog(of index: Int) throws(SystemError) -> Connection? {
        var failures = 0
        while true {
            do throws(SystemError) {
                guard case .processed(let (socket, peer)) = try listeners[index].descriptor.accept() else { return nil }
                sharing?.commons.cell.countAccepted()
                if admission.isShortUntil != 0 { admission.noteTaken() }
                return adopt(socket, peer: peer, listener: index)
            } catch  where error.errno.concernsOneConnection && failures < Self.failuresInARow {
                // Something befell the connection while it waited: the next one may be there.
                failures += 1
            }
        }
    }

    /// Connections that may be lost one after the other before it is taken for a rule: a filter of system calls, for
    /// example, answers every `accept` as a firewall answers one.
    private static let failuresInARow = 64

    /// A new client's connection.
    private func adopt(_ socket: Descriptor, peer: SocketAddress, listener: Int) -> Connection {
        let connection = adopt(
            socket, peer: peer, listener: listener, trust: trust(peer),
            startsWithPreamble: configuration.proxyMode != nil,
            session: HTTP1Session(keepsAlive: configuration.keepsAlive))
        setDeadline(connection, after: configuration.timeouts.head)
        return connection
    }

    /// Makes a socket one of this worker's connections: the one way in, wherever it comes from. It is closed with the
    /// connection.
    ///
    /// - Parameter listener: the one that accepted it, here or elsewhere.
    func adopt(
        _ socket: Descriptor, peer: SocketAddress, listener: Int, trust: PeerTrust, startsWithPreamble: Bool,
        session: HTTP1Session
    ) -> Connection {
        let connection = Connection(
            channel: Channel(socket: socket), peer: peer, listener: listener, trust: trust,
            generation: connections.nextGeneration(), life: ConnectionLife(startsWithPreamble: startsWithPreamble),
            session: session, poller: poller, spool: spool, memory: memory, isListed: sharing != nil)
        connections.insert(connection)
        return connection
    }
}
