internal import HTTPServer
internal import HTTPWire
internal import Platform

/// From events to connections that have something to do.
extension Reactor {
    /// Goes through the batch of events, then through the queued connections, up to the next complete request.
    ///
    /// - Returns: the connection of that request, whose head is parsed on the bench.
    func completeNext(on bench: Workbench) -> Connection? {
        while let place = batch.current {
            let (events, payload) = poller.event(place)
            if payload & Payload.listener != 0, payload & Payload.waker == 0 {
                // The event stays current until this listener has nothing more, or its share of the batch is used up.
                guard let connection = acceptNext(from: Int(payload & 0xFFFF)) else {
                    batch.advance()
                    admission.endShare()
                    continue
                }
                if advance(connection, on: bench) { return connection }
                continue
            }
            batch.advance()
            switch payload {
            case Payload.waker: waker.drain()
            case Payload.timer:
                timer.drain()
                timerRang = true
            case Payload.signals:
                signals.drain()
                sawSignal = true
            case Payload.relay:
                if let connection = adoptSome(on: bench) { return connection }
            default:
                guard let connection = connections[payload] else { continue }
                if react(connection, to: events, on: bench) { return connection }
            }
        }
        // After a stall, what came in time is in the batch together with the bell.
        if timerRang { expireDeadlines() }
        while !queue.isEmpty, batch.takeTurn(), let connection = queue.popFirst() {
            connection.isQueued = false
            if proceed(connection, on: bench) { return connection }
        }
        return nil
    }

    /// One event of a watched connection. True when it completed a request.
    private func react(_ connection: Connection, to events: PollEvents, on bench: Workbench) -> Bool {
        if !events.isDisjoint(with: [.readable, .peerClosed, .hangUp, .error]) { connection.mayBeReadable = true }
        if !events.isDisjoint(with: [.peerClosed, .hangUp, .error]) { connection.peerClosed = true }
        switch connection.phase {
        case .preamble, .idle, .head, .body:
            guard connection.mayBeReadable else { return false }
            return advance(connection, on: bench)
        case .discarding:
            discardOn(connection)
        case .held:
            if !events.isDisjoint(with: [.hangUp, .error]) { connection.hungUp = true }
        case .running:
            if !events.isDisjoint(with: [.hangUp, .error]) { connection.hungUp = true }
            // A failure is for the runner to find, with its next block.
            if events.contains(.writable) { try? connection.sendPending(releasing: &releases) }
        case .draining:
            if !events.isDisjoint(with: [.hangUp, .error]) {
                close(connection)
            } else if events.contains(.writable) {
                drain(connection)
            }
        case .lingering:
            lingerOn(connection, on: bench)
        case .closed:
            break
        }
        return false
    }

    /// Work that no event announces. True when it completed a request.
    private func proceed(_ connection: Connection, on bench: Workbench) -> Bool {
        switch connection.phase {
        case .preamble, .idle, .head, .body:
            if advance(connection, on: bench) { return true }
            // At the end, a connection is kept only for a request that has begun.
            if isClosing, connection.awaitsRequest { linger(connection) }
        case .discarding: discardOn(connection)
        case .lingering: lingerOn(connection, on: bench)
        case .held, .running, .draining, .closed: break
        }
        return false
    }

    /// Reads and parses until a request is complete (true) or more bytes must come (false). A client that sends faster
    /// than we read gives way to the others after a while.
    func advance(_ connection: Connection, on bench: Workbench) -> Bool {
        for _ in 0..<Self.readsInARow {
            let progress: Progress
            switch connection.phase {
            case .idle: progress = readHead(connection, on: bench)
            case .head(let head): progress = readHead(connection, behind: head, on: bench)
            case .body(let body): progress = readBody(connection, body, on: bench)
            case .preamble(let start): progress = readPreamble(connection, behind: start, on: bench)
            case .held, .running, .draining, .discarding, .lingering, .closed: return false
            }
            switch progress {
            case .complete:
                if let health, answersHealth(connection, health, on: bench) { return false }
                return true
            case .again: continue
            case .wait: return false
            }
        }
        enqueue(connection)
        return false
    }

    private static let readsInARow = 16

    enum Progress { case complete, again, wait }

    func enqueue(_ connection: Connection) {
        guard !connection.isQueued else { return }
        connection.isQueued = true
        queue.append(connection)
    }

    // MARK: Reading

    /// Reads what has come into the bench. Nil when nothing has, or when the connection ended, which is dealt with.
    func read(_ connection: Connection, on bench: Workbench) -> UnsafeRawBufferPointer? {
        do throws(SystemError) {
            switch try connection.channel.receive(into: bench.buffer) {
            case .wouldBlock:
                connection.mayBeReadable = false
                // It was thought to have sent its next request already (`settle`).
                if case .idle = connection.phase, connection.session.requestCount > 0 {
                    setDeadline(connection, after: configuration.timeouts.idle)
                }
                watch(connection)
                return nil
            case .processed(0):
                // A request that the client did not finish is not run, RFC 9112 §8.
                noteCutBody(of: connection)
                close(connection)
                return nil
            case .processed(let count):
                connection.mayBeReadable = count == bench.buffer.count || connection.peerClosed
                return UnsafeRawBufferPointer(rebasing: bench.buffer[..<count])
            }
        } catch {
            noteCutBody(of: connection)
            close(connection)
            return nil
        }
    }

    /// After bytes that did not suffice: read on if there may be more, else wait for an event.
    func waitOrReadOn(_ connection: Connection) -> Progress {
        if connection.mayBeReadable { return .again }
        watch(connection)
        return .wait
    }

    /// Watches a connection for edges, if it is not watched yet. An edge that came before is reported too.
    @inline(__always)
    func watch(_ connection: Connection) {
        if !connection.isWatched { beginWatching(connection) }
    }

    private func beginWatching(_ connection: Connection) {
        connection.isWatched = true
        noteDeadline(connection)
        do {
            try poller.add(connection.channel.socket, Connection.watchedEvents, payload: connection.payload)
        } catch {
            note(.error, "A connection cannot be watched and is closed: \(error).")
            close(connection)
        }
    }
}
