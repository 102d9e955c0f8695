internal import HTTPServer
internal import HTTPWire
internal import Platform
internal import ProxyWire
public import Scheduling
internal import Synchronization

/// What becomes of a connection after a response.
extension Reactor {
    /// Takes a connection back after its response.
    public func finish(_ ended: EndedExchange, _ baton: borrowing Baton) { finish(ended) }

    @inline(__always)
    func finish(_ ended: EndedExchange) {
        let connection = ended.connection
        precondition(connection.life.isRunning, "a response to a request that does not run")
        if connection.isSurrendered {
            // Nothing of its output is left.
            _ = connection.endOutput()
            forget(connection)
            return
        }
        // The application ran since the last poll, perhaps for longer than the client may now idle.
        now = Clock.now()
        let duration = now &- ended.began
        deferral.noteDuration(duration)
        sharing?.policy.served(in: duration)
        if let cell = sharing?.commons.cell { note(ended, in: cell) }
        connection.hops = 0
        let isDeferred = connection.endOutput()
        if !connection.memoryCharge.isEmpty { discharge(connection) }
        if deferral.isOverdue(now: now) { sendDeferred() }
        if connection.life.runsLoneRequest, ended.persists, !isClosing, connection.outbox.isEmpty {
            awaitNext(connection, rest: nil)
        } else {
            finish(connection, persists: ended.persists, isDeferred: isDeferred)
        }
    }

    /// The same for a response that waits, or that something else follows than the next request.
    @inline(never)
    private func finish(_ connection: Connection, persists: Bool, isDeferred: Bool) {
        guard case .running(let request) = connection.phase else { return }
        // The body did not travel. Where the disk's thread still writes it, it lets the file go.
        connection.abandonBodyCopy()
        let sequel = sequel(of: request, on: connection, persist: persists)
        if connection.outbox.isEmpty {
            if connection.label != nil { connection.label = nil }
            settle(connection, sequel)
            return
        }
        connection.life.drain(PartialResponse(sequel: sequel, unsent: nil))
        if connection.label != nil { beginTelling(connection) }
        if !isDeferred {
            drain(connection)
        } else if deferral.add(connection, now: now) {
            sendDeferred()
        }
    }

    /// Sends the responses that wait for each other.
    func sendDeferred() {
        guard !deferral.waiting.isEmpty else { return }
        // One that left meanwhile, because its socket said so, is not in `.draining` any more, or drains another
        // response.
        for connection in deferral.takeAll() { drain(connection) }
    }

    private func sequel(of request: RunningRequest, on connection: Connection, persist: Bool) -> Sequel {
        var rest: ByteStore?
        if let received = request.received { rest = received.takeRest() }
        if case .stream(let stream) = request.body {
            rest = takeBack(stream, of: connection)
            if persist, !stream.isComplete { return .discard(stream) }
        }
        return persist ? .next(rest) : .end(hasRest: rest != nil, isExpected: connection.session.clientSaidClose)
    }

    /// The response has left: wait for the next request, or end the connection.
    @inline(__always)
    func settle(_ connection: Connection, _ sequel: Sequel) {
        if connection.departure != nil { tellOfDeparture(connection) }
        switch isClosing ? sequel.ending : sequel {
        case .next(let rest):
            awaitNext(connection, rest: rest)
        case .discard(let stream):
            discard(stream, of: connection)
        case .end(let hasRest, let isExpected):
            endGracefully(connection, hasRest: hasRest, isExpected: isExpected)
        }
    }

    /// Waits for the next request.
    ///
    /// - Parameter rest: what has come of it.
    @inline(__always)
    private func awaitNext(_ connection: Connection, rest: ByteStore?) {
        connection.life.awaitNext(rest)
        if isParting {
            setDeadline(connection, after: rest == nil ? configuration.timeouts.idle : configuration.timeouts.head)
            if sendOff(connection) { return }
        }
        if rest != nil || connection.mayBeReadable {
            // A pipelined request, or an edge that came meanwhile. Its turn comes after the others', so that one client
            // cannot have all of them.
            setDeadline(connection, after: configuration.timeouts.head)
            enqueue(connection)
        } else {
            setDeadline(connection, after: configuration.timeouts.idle)
            watch(connection)
        }
    }

    // MARK: Output

    /// Sends what is left of a response, for one turn. When all is sent, the connection goes its way.
    func drain(_ connection: Connection) {
        guard case .draining(var response) = connection.phase else { return }
        let flush: Outbox.Flush
        do throws(SystemError) {
            flush = try connection.outbox.flush(
                to: connection.channel, besideInteractive: spool.hasInteractiveClients, releasing: &releases)
        } catch {
            if error == Outbox.fileEnded {
                note(
                    .warning,
                    "A file became shorter while it was sent, \(connection.outbox.count) bytes are missing: "
                        + "the connection is closed.")
            }
            close(connection)
            return
        }
        guard flush == .done else {
            if flush == .needsDisk { connection.sendFromDisk() }
            // The deadline is not moved whenever the socket takes something: when it comes, what the client itself has
            // taken is measured (`expire`).
            if response.unsent == nil {
                response.unsent = connection.unsentByteCount
                connection.life.drain(response)
                setDeadline(connection, after: configuration.timeouts.write)
            }
            watch(connection)
            if flush == .turnOver { enqueue(connection) }
            return
        }
        if connection.label != nil { endTelling(connection) }
        settle(connection, response.sequel)
    }

    // MARK: The end of a connection

    /// Ends a connection whose response has been sent. Closing while unread bytes are there, or still come, makes the
    /// kernel send a reset, which can destroy the response on its way to the client: RFC 9112 §9.6. Where the client is
    /// known to have sent all that it wants to send there is nothing to fear.
    private func endGracefully(_ connection: Connection, hasRest: Bool, isExpected: Bool) {
        if connection.hungUp || (!hasRest && !connection.mayBeReadable && isExpected) {
            close(connection)
        } else {
            linger(connection, hasRest: hasRest)
        }
    }

    /// Sends our end of the stream and waits, for a while, for the client's.
    ///
    /// - Parameter hasRest: something has come that is not looked at any more.
    func linger(_ connection: Connection, hasRest: Bool = false) {
        connection.channel.shutdownSending()
        connection.life.linger(
            Farewell(budget: Self.lingerBudget, mayBeReset: hasRest || connection.mayBeReadable))
        setDeadline(connection, after: configuration.timeouts.linger)
        watch(connection)
        if connection.mayBeReadable { enqueue(connection) }
    }

    /// Bytes that a lingering connection may still send before it is cut.
    private static let lingerBudget = 1 << 20

    /// Throws away what a lingering client sends.
    func lingerOn(_ connection: Connection, on bench: Workbench) {
        guard case .lingering(var farewell) = connection.phase else { return }
        while farewell.budget > 0 {
            // A reset: its event is this one, and the next read would not tell of it again.
            guard let result = try? connection.channel.receive(into: bench.buffer) else { break }
            guard case .processed(let count) = result else {
                // Nothing there: wait for it.
                connection.mayBeReadable = false
                connection.life.linger(farewell)
                return
            }
            if count == 0 { break }
            farewell.budget -= count
        }
        close(connection)
    }

    func close(_ connection: Connection) {
        let before = connection.phase.kind
        if before == .closed { return }
        if connection.departure != nil { tellOfDeparture(connection, unsent: connection.outbox.count) }
        connection.abandonBodyCopy()
        connection.life.close()
        connection.outbox.discard(releasing: &releases)
        if before == .draining, connection.label != nil { endTelling(connection) }
        connections.remove(connection)
        if now < admission.isShortUntil { noteRoom() }
        if !connection.memoryCharge.isEmpty { discharge(connection) }
        if connection.isSocketAtDisk.load(ordering: .acquiring) {
            // Its number must not become another connection's before the disk's thread is done: `settleDisk` closes it.
            connection.channel.socket.shutdownBoth()
            connection.owesClose = true
            return
        }
        // The poller forgets a descriptor by itself, once nobody has it open. A forked process may: its copy tells of a
        // connection that is not in the table.
        if before == .lingering { connection.channel.close() } else { connection.channel.shutdownAndClose() }
    }
}
