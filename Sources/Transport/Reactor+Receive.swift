internal import HTTPWire
internal import Platform
internal import Scheduling

/// From events to complete requests.
extension Reactor {
    /// Goes through the batch of events, then through the queued connections, up to the next complete request.
    func receive(_ baton: borrowing Baton, on bench: Workbench) -> Connection? {
        while true {
            if eventCursor < eventCount {
                let (events, payload) = poller.event(eventCursor)
                if payload & Payload.listener != 0, payload & Payload.waker == 0 {
                    // The event stays current until this listener has nothing more, or its share of the batch is used up.
                    guard let connection = acceptNext(from: Int(payload & 0xFFFF)) else {
                        eventCursor += 1
                        acceptsLeft = 0
                        continue
                    }
                    if advance(connection, on: bench) { return connection }
                    continue
                }
                eventCursor += 1
                switch payload {
                case Payload.waker: waker.drain()
                case Payload.timer: expireDeadlines()
                case Payload.signals:
                    signals.drain()
                    sawSignal = true
                default:
                    guard let connection = connection(for: payload) else { continue }
                    if react(connection, to: events, on: bench) { return connection }
                }
                continue
            }
            guard queueTurns > 0, let connection = queue.popFirst() else { return nil }
            queueTurns -= 1
            connection.isQueued = false
            if proceed(connection, on: bench) { return connection }
        }
    }

    /// The connection that an event is for; nil when that one was closed earlier in the batch.
    private func connection(for payload: UInt64) -> Connection? {
        let index = Int(payload & 0xFFFF_FFFF)
        guard index < table.count, let connection = table[index], connection.generation == UInt32(payload >> 32)
        else { return nil }
        return connection
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
            return false
        case .held:
            if !events.isDisjoint(with: [.hangUp, .error]) { connection.hungUp = true }
            return false
        case .running:
            if !events.isDisjoint(with: [.hangUp, .error]) { connection.hungUp = true }
            // A failure is for the runner to find, with its next block.
            if events.contains(.writable) { try? connection.sendBacklog(releasing: &releases) }
            return false
        case .draining:
            if !events.isDisjoint(with: [.hangUp, .error]) {
                close(connection)
            } else if events.contains(.writable) {
                drain(connection)
            }
            return false
        case .lingering:
            lingerOn(connection, on: bench)
            return false
        case .closed:
            return false
        }
    }

    /// Work that no event announces. True when it completed a request.
    private func proceed(_ connection: Connection, on bench: Workbench) -> Bool {
        switch connection.phase {
        case .preamble, .idle, .head, .body:
            if advance(connection, on: bench) { return true }
            // At the end, a connection is kept only for a request that has begun.
            if isClosing, connection.awaitsRequest { linger(connection) }
            return false
        case .discarding:
            discardOn(connection)
            return false
        case .lingering:
            lingerOn(connection, on: bench)
            return false
        case .held, .running, .draining, .closed: return false
        }
    }

    /// Reads and parses until a request is complete (true) or more bytes must come (false). A client that sends faster than
    /// we read gives way to the others after a while.
    func advance(_ connection: Connection, on bench: Workbench) -> Bool {
        for _ in 0..<Self.readsInARow {
            if case .body(let receipt) = connection.phase {
                switch receiveBody(connection, receipt, on: bench) {
                case .complete: return true
                case .again: continue
                case .wait: return false
                }
            }
            let progress =
                if case .preamble = connection.phase {
                    receivePreamble(connection, on: bench)
                } else {
                    receiveHead(connection, on: bench)
                }
            switch progress {
            case .complete: return true
            case .again: continue
            case .wait: return false
            }
        }
        enqueue(connection)
        return false
    }

    private static let readsInARow = 16

    enum Progress { case complete, again, wait }

    // MARK: Head

    private func receiveHead(_ connection: Connection, on bench: Workbench) -> Progress {
        guard let input = connection.input else {
            guard let bytes = read(connection, on: bench) else { return .wait }
            return parseHead(connection, bytes, on: bench)
        }
        if connection.hasUnparsedInput {
            connection.hasUnparsedInput = false
            return parseHead(connection, input.bytes, on: bench)
        }
        guard let bytes = read(connection, on: bench) else { return .wait }
        let isFirstLine = input.count < 64
        input.append(bytes)
        // A head that grows by a byte at a time is not parsed anew for each: only a line's end can change the verdict, or
        // the line growing past its limit, which the parser sees at the latest when it ends. The first bytes are always
        // looked at, so that a client that does not speak HTTP learns it at once.
        if isFirstLine || bytes.contains(0x0A) || input.count > configuration.policy.headSizeLimit {
            return parseHead(connection, input.bytes, on: bench)
        }
        return .again
    }

    func parseHead(
        _ connection: Connection, _ bytes: UnsafeRawBufferPointer, on bench: Workbench
    ) -> Progress {
        let progress: ParseProgress
        do throws(WireError) {
            progress = try bench.parser.parse(bytes.bytes, fromTrustedPeer: connection.trust.contains(.forwarding))
        } catch {
            refuse(connection, error, head: bytes)
            return .wait
        }
        switch progress {
        case .more:
            if connection.input == nil { connection.input = ByteStore(bytes, spare: 512) }
            if case .idle = connection.phase {
                connection.phase = .head
                setDeadline(connection, after: configuration.timeouts.head)
            }
            return waitOrReadOn(connection)
        case .head:
            return beginBody(connection, bytes, on: bench)
        }
    }

    // MARK: Body

    private func beginBody(
        _ connection: Connection, _ bytes: UnsafeRawBufferPointer, on bench: Workbench
    ) -> Progress {
        let size = bench.parser.head.byteCount
        let receipt: BodyReceipt
        switch bench.parser.head.framing {
        case .none:
            connection.body = .none
            complete(connection, bytes, size: size, on: bench)
            return .complete
        case .length(let length):
            if bytes.count - size >= length {
                connection.body = length == 0 ? .none : .inline(offset: size, count: length)
                complete(connection, bytes, size: size + length, on: bench)
                return .complete
            }
            if configuration.streamsBodies { return beginStream(connection, bytes, size: size, on: bench) }
            receipt = BodyReceipt(length: length, limits: configuration.body)
        case .chunked:
            do throws(WireError) {
                if configuration.streamsBodies, try !isWhole(chunked: bytes.from(size)) {
                    return beginStream(connection, bytes, size: size, on: bench)
                }
            } catch {
                refuse(connection, error)
                return .wait
            }
            receipt = BodyReceipt(chunkedUnder: configuration.policy, limits: configuration.body)
        }

        if bench.parser.head.expectsContinue, bytes.count == size {
            InterimResponse.sendContinue(on: connection)
        }
        // The head waits in `input` for the body; what is behind the body there joins it when the body is complete.
        let rest = bytes.from(size)
        let store: ByteStore
        let early: ByteStore?
        if let input = connection.input {
            store = input
            early = rest.count > 0 ? ByteStore(rest) : nil
            store.truncate(size)
        } else {
            store = ByteStore(UnsafeRawBufferPointer(rebasing: bytes[..<size]))
            early = nil
            connection.input = store
        }
        connection.phase = .body(receipt)
        setDeadline(connection, after: configuration.timeouts.body)
        return take(early?.bytes ?? rest, of: connection, receipt, on: bench)
    }

    /// The application runs now and reads the body itself.
    private func beginStream(
        _ connection: Connection, _ bytes: UnsafeRawBufferPointer, size: Int, on bench: Workbench
    ) -> Progress {
        let early = bytes.from(size)
        connection.body = .stream(
            BodyStream(
                of: connection, framing: bench.parser.head.framing, early: early,
                owesContinue: bench.parser.head.expectsContinue && early.isEmpty, policy: configuration.policy,
                timeout: configuration.timeouts.body))
        connection.input?.truncate(size)
        complete(connection, UnsafeRawBufferPointer(rebasing: bytes[..<size]), size: size, on: bench)
        return .complete
    }

    private func receiveBody(_ connection: Connection, _ receipt: BodyReceipt, on bench: Workbench) -> Progress {
        guard let bytes = read(connection, on: bench) else { return .wait }
        if receipt.makesProgress(bytes.count) { setDeadline(connection, after: configuration.timeouts.body) }
        return take(bytes, of: connection, receipt, on: bench)
    }

    /// Gives bytes to a body under way. When they complete it, the request is ready.
    private func take(
        _ bytes: UnsafeRawBufferPointer, of connection: Connection, _ receipt: BodyReceipt, on bench: Workbench
    ) -> Progress {
        let taken: Int
        let isComplete: Bool
        do throws(BodyReceiptFault) {
            (taken, isComplete) = try receipt.receive(bytes)
        } catch {
            switch error {
            case .wire(let fault): refuse(connection, fault)
            case .spoolFailed(let cause):
                let failure = SpoolFailure(cause: cause, directory: configuration.body.spoolDirectory)
                note(.error, failure.description)
                refuse(connection, WireError(failure.fault))
            }
            return .wait
        }
        guard isComplete else { return waitOrReadOn(connection) }
        connection.body = receipt.body
        guard let store = connection.input else { preconditionFailure("a body without its head") }
        let size = store.count
        store.append(UnsafeRawBufferPointer(rebasing: bytes[taken...]))
        // The bench may have parsed for others while this body arrived. It parsed these bytes before, so it cannot fail.
        parseAgain(connection, store.bytes, on: bench)
        complete(connection, store.bytes, size: size, on: bench)
        return .complete
    }

    // MARK: Complete

    /// `bytes` starts with a whole request of `size` bytes, parsed on the bench. What follows is kept for later.
    private func complete(
        _ connection: Connection, _ bytes: UnsafeRawBufferPointer, size: Int, on bench: Workbench
    ) {
        bench.request = UnsafeRawBufferPointer(rebasing: bytes[..<size])
        if let input = connection.input {
            connection.consumed = size
            connection.hasUnparsedInput = input.count > size
        } else if bytes.count > size {
            connection.input = ByteStore(UnsafeRawBufferPointer(rebasing: bytes[size...]))
            connection.hasUnparsedInput = true
        }
        connection.phase = .running
        connection.deadline = 0
        connection.clientSaidClose = !bench.parser.head.isPersistent
        connection.requestCount += 1
        requestCount &+= 1
    }

    /// Holds a complete request for a runner.
    func hold(_ connection: Connection, on bench: Workbench) {
        keep(connection, on: bench)
        held.append(connection)
    }

    /// Makes a complete request independent of the bench: its bytes move into the connection.
    func keep(_ connection: Connection, on bench: Workbench) {
        if connection.consumed == 0 {
            let store = ByteStore(bench.request, spare: connection.input?.count ?? 0)
            if let later = connection.input { store.append(later.bytes) }
            connection.input = store
            connection.consumed = bench.request.count
        }
        connection.phase = .held
    }

    /// Takes up a held request.
    func resume(_ connection: Connection, on bench: Workbench) {
        guard let store = connection.input else { preconditionFailure("a held request without its bytes") }
        parseAgain(connection, store.bytes, on: bench)
        bench.request = UnsafeRawBufferPointer(rebasing: store.bytes[..<connection.consumed])
        connection.phase = .running
    }

    private func parseAgain(_ connection: Connection, _ bytes: UnsafeRawBufferPointer, on bench: Workbench) {
        guard
            case .head? = try? bench.parser.parse(bytes.bytes, fromTrustedPeer: connection.trust.contains(.forwarding))
        else {
            preconditionFailure("bytes that parsed once do not parse again")
        }
    }

    // MARK: Reading

    /// Reads what has come into the bench. Nil when nothing has, or when the connection ended, which is dealt with.
    func read(_ connection: Connection, on bench: Workbench) -> UnsafeRawBufferPointer? {
        do throws(SystemError) {
            switch try connection.socket.receive(into: bench.buffer) {
            case .wouldBlock:
                connection.mayBeReadable = false
                // It was thought to have sent its next request already (`settle`).
                if case .idle = connection.phase, connection.requestCount > 0 {
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
}

extension UnsafeRawBufferPointer {
    fileprivate func from(_ offset: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[offset...])
    }
}
