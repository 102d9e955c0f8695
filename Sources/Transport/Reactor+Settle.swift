internal import HTTPServer
internal import HTTPWire
internal import Platform
internal import ProxyWire
public import Scheduling

/// What becomes of a connection after a response.
extension Reactor {
    /// The response has left: wait for the next request, or end the connection.
    func settle(_ connection: Connection, persist: Bool) {
        guard persist, !isClosing else {
            endGracefully(connection)
            return
        }
        if case .stream(let stream) = connection.body { return discard(stream, of: connection) }
        connection.phase = .idle
        if connection.input != nil || connection.mayBeReadable {
            // A pipelined request, or an edge that came meanwhile. Its turn comes after the others', so that one client
            // cannot have all of them.
            setDeadline(connection, after: configuration.timeouts.head)
            enqueue(connection)
        } else {
            setDeadline(connection, after: configuration.timeouts.idle)
            watch(connection)
        }
    }

    func enqueue(_ connection: Connection) {
        guard !connection.isQueued else { return }
        connection.isQueued = true
        queue.append(connection)
    }

    /// Answers a request that cannot be served, and ends the connection: where its next request starts is unknown.
    ///
    /// - Parameter head: what has come of the head, for the looks of the answer; what the connection keeps of it unless given.
    func refuse(_ connection: Connection, _ error: WireError, head: UnsafeRawBufferPointer? = nil) {
        if !error.fault.isServers { noteInvalid(connection, id: error.id) }
        let audience = (head ?? connection.input?.bytes).map { ErrorAudience(head: $0.bytes) } ?? ErrorAudience()
        refuse(connection, status: error.status, id: error.id, for: audience)
    }

    /// The same for a connection that starts wrong.
    func refuse(_ connection: Connection, _ error: ProxyError) {
        noteInvalid(connection, id: error.id)
        refuse(connection, status: error.status, id: error.id, for: ErrorAudience())
    }

    private func refuse(_ connection: Connection, status: Int, id: String, for audience: ErrorAudience) {
        let page = Refusal(status: status, id: id, for: audience)
            .response(date: HTTPDate(unixSeconds: Int(Clock.wallSeconds())))
        page.withUnsafeBytes { connection.outbox.append(copying: $0) }
        connection.input = nil
        connection.consumed = 0
        connection.mayBeReadable = true
        connection.phase = .draining(persist: false, unsent: nil)
        drain(connection)
    }

    func noteInvalid(_ connection: Connection, id: String) {
        if case .unix = connection.peer {
            note(.warning, "Invalid request from a unix socket: \(id).")
        } else {
            note(.warning, "Invalid request from ip=\(connection.peer.host): \(id).")
        }
    }

    /// Ends a connection whose response has been sent. Closing while unread bytes are there, or still come, makes the kernel
    /// send a reset, which can destroy the response on its way to the client: RFC 9112 §9.6. Where the client is known to
    /// have sent all that it wants to send there is nothing to fear.
    private func endGracefully(_ connection: Connection) {
        if connection.hungUp || (connection.input == nil && !connection.mayBeReadable && connection.clientSaidClose) {
            close(connection)
        } else {
            linger(connection)
        }
    }

    /// Sends our end of the stream and waits, for a while, for the client's.
    func linger(_ connection: Connection) {
        let mayBeReset = connection.input != nil || connection.mayBeReadable
        connection.input = nil
        connection.body = .none
        connection.socket.shutdownSending()
        connection.phase = .lingering(budget: Self.lingerBudget, mayBeReset: mayBeReset)
        setDeadline(connection, after: configuration.timeouts.linger)
        watch(connection)
        if connection.mayBeReadable { enqueue(connection) }
    }

    /// Bytes that a lingering connection may still send before it is cut.
    private static let lingerBudget = 1 << 20

    /// Throws away what a lingering client sends.
    func lingerOn(_ connection: Connection, on bench: Workbench) {
        guard case .lingering(var budget, let mayBeReset) = connection.phase else { return }
        while budget > 0 {
            // A reset: its event is this one, and the next read would not tell of it again.
            guard let result = try? connection.socket.receive(into: bench.buffer) else { break }
            guard case .processed(let count) = result else {
                // Nothing there: wait for it.
                connection.mayBeReadable = false
                connection.phase = .lingering(budget: budget, mayBeReset: mayBeReset)
                return
            }
            if count == 0 { break }
            budget -= count
        }
        close(connection)
    }

    func close(_ connection: Connection) {
        if case .closed = connection.phase { return }
        connection.phase = .closed
        connection.outbox.discard(releasing: &releases)
        connection.input = nil
        connection.body = .none
        table[Int(connection.socket.rawValue)] = nil
        connectionCount -= 1
        // The poller forgets a closed descriptor by itself.
        connection.socket.close()
    }

    // MARK: Output

    /// Sends what is left of a response. When all is sent, the connection goes its way.
    func drain(_ connection: Connection) {
        guard case .draining(let persist, let unsent) = connection.phase else { return }
        let isSent: Bool
        do throws(SystemError) {
            isSent = try connection.outbox.flush(to: connection.socket, releasing: &releases)
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
        guard isSent else {
            // The deadline is not moved whenever the socket takes something: when it comes, what the client itself has taken
            // is measured (`expire`).
            if unsent == nil {
                connection.phase = .draining(persist: persist, unsent: connection.unsentByteCount)
                setDeadline(connection, after: configuration.timeouts.write)
            }
            watch(connection)
            return
        }
        settle(connection, persist: persist)
    }

    // MARK: Ending all

    /// Closes the listeners and idle connections, and lets each of the others finish the request it is in.
    ///
    /// - Parameter takingBacklog: connections that wait in the backlog are accepted first: closing the last copy of a
    ///   listener resets them.
    public func beginClosing(_ baton: borrowing Baton, takingBacklog: Bool = true) {
        guard !isClosing else { return }
        for index in listeners.indices where takingBacklog {
            while connectionCount < configuration.maximumConnections, (try? takeFromBacklog(of: index)) != nil {}
        }
        isClosing = true
        updateAccepting()
        for listener in listeners { listener.descriptor.close() }
        for case let connection? in table {
            // A request may have come this very moment: it is read before the connection is given up.
            if connection.awaitsRequest { enqueue(connection) }
        }
    }

    /// How many connections still await a response, or the rest of one, or would lose one to a reset if the process ended now.
    /// These last have until the deadline of their phase.
    public func unsettledCount(_ baton: borrowing Baton) -> Int {
        table.count { connection in
            switch connection?.phase {
            case nil, .discarding: false
            case .lingering(_, let mayBeReset): mayBeReset
            default: true
            }
        }
    }
}
