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
                    noteArrival()
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
        if timerRang {
            expireDeadlines()
            if admission.takesLate(now: now) { acceptLate() }
        }
        if !queue.isEmpty { spool.hasInteractiveClients = batch.hasInteractiveClients }
        while !queue.isEmpty, batch.takeTurn(now: now), let connection = queue.popFirst() {
            connection.isQueued = false
            if proceed(connection, on: bench) { return connection }
            now = Clock.now()
        }
        return nil
    }

    /// One event of a watched connection. True when it completed a request.
    private func react(_ connection: Connection, to events: PollEvents, on bench: Workbench) -> Bool {
        if !events.isDisjoint(with: [.readable, .peerClosed, .hangUp, .error]) { connection.mayBeReadable = true }
        if !events.isDisjoint(with: [.peerClosed, .hangUp, .error]) { connection.peerClosed = true }
        switch connection.phase {
        case .preamble, .idle, .head:
            // One that pipelines has its turn already: more of it that comes does not get it there earlier.
            guard connection.mayBeReadable, !connection.isQueued else { return false }
            let isComplete = advance(connection, on: bench)
            // One with a body on its way is no client that wants a word only.
            if isComplete || connection.phase.kind != .body { batch.noteNews() }
            return isComplete
        case .body:
            // Bulk waits for those who perhaps want a word only.
            if connection.mayBeReadable { enqueue(connection) }
        case .discarding:
            discardOn(connection)
        case .held:
            if !events.isDisjoint(with: [.hangUp, .error]) { connection.hungUp = true }
        case .running:
            if !events.isDisjoint(with: [.hangUp, .error]) { connection.hungUp = true }
            if events.contains(.writable) { sendOn(connection) }
        case .draining:
            if !events.isDisjoint(with: [.hangUp, .error]) {
                close(connection)
            } else if events.contains(.writable) {
                enqueue(connection)
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
            if isClosing, connection.awaitsRequest, !mayStillAsk(connection) { linger(connection) }
        case .discarding: discardOn(connection)
        case .lingering: lingerOn(connection, on: bench)
        case .draining: drain(connection)
        case .running: sendOn(connection)
        case .held, .closed: break
        }
        return false
    }

    /// Sends for a runner whose application goes on, for one turn.
    private func sendOn(_ connection: Connection) {
        // A failure is for the runner to find, with its next block.
        if case .turnOver? = try? connection.sendPending(releasing: &releases) { enqueue(connection) }
    }

    /// Reads and parses for one turn: one piece of a head, or a few of a body. True when a request is complete. What a
    /// client has sent beyond that waits for its next turn: one that sends faster than we read gives way to the others.
    func advance(_ connection: Connection, on bench: Workbench) -> Bool {
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
            guard let health, answersHealth(connection, health, on: bench) else { return true }
        case .again: enqueue(connection)
        case .wait: break
        }
        return false
    }

    /// What came of a piece.
    enum Progress {
        /// A request is complete.
        case complete
        /// There may be more to read.
        case again
        /// An event has to come, or nothing more is read.
        case wait
    }

    /// Bytes that are read where a request may begin: as much of it as usually comes at once, with a body of 64 KiB.
    /// What is read is parsed in one go, and its chunks are decoded.
    static let firstPiece = 73_728

    func enqueue(_ connection: Connection) {
        guard !connection.isQueued else { return }
        connection.isQueued = true
        queue.append(connection)
    }

    // MARK: Reading

    /// Reads what has come into the bench. Nil when nothing has, or when the connection ended, which is dealt with.
    ///
    /// - Parameter limit: the most bytes, no more than the bench has room for.
    func read(
        _ connection: Connection, upTo limit: Int = Reactor.firstPiece, on bench: Workbench
    ) -> UnsafeRawBufferPointer? {
        let room = UnsafeMutableRawBufferPointer(start: bench.buffer.baseAddress, count: limit)
        guard let count = read(connection, into: room) else { return nil }
        return UnsafeRawBufferPointer(rebasing: bench.buffer[..<count])
    }

    /// Reads what has come. Nil when nothing has, or when the connection ended, which is dealt with.
    ///
    /// - Returns: bytes.
    @inline(__always)
    func read(_ connection: Connection, into room: UnsafeMutableRawBufferPointer) -> Int? {
        do throws(SystemError) {
            switch try connection.channel.receive(into: room) {
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
                connection.mayBeReadable = count == room.count || connection.peerClosed
                return count
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
