internal import HTTPServer
internal import HTTPWire
internal import Platform
internal import Telemetry

/// From bytes to complete requests.
extension Reactor {
    // MARK: Head

    /// Reads a request of which nothing has come.
    func readHead(_ connection: Connection, on bench: Workbench) -> Progress {
        guard let bytes = read(connection, on: bench) else { return .wait }
        return parseHead(connection, bytes, on: bench)
    }

    /// Reads on, or looks for the first time at what has come with the request before.
    func readHead(_ connection: Connection, behind head: PartialHead, on bench: Workbench) -> Progress {
        var head = head
        if !head.progress.hasUnseen(of: head.bytes.count) {
            guard let bytes = read(connection, on: bench) else { return .wait }
            head.bytes.append(bytes)
        }
        guard bench.parser.mayDecide(head.bytes.bytes.bytes, after: &head.progress) else {
            connection.life.keepHead(head)
            charge(connection)
            return waitOrReadOn(connection)
        }
        return parseHead(connection, head.bytes.bytes, in: head, on: bench)
    }

    /// - Parameter head: where the bytes are kept; nil for bytes on the bench.
    func parseHead(
        _ connection: Connection, _ bytes: UnsafeRawBufferPointer, in head: PartialHead? = nil, on bench: Workbench
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
            if case .idle = connection.phase { setDeadline(connection, after: configuration.timeouts.head) }
            connection.life.keepHead(
                head ?? PartialHead(bytes: ByteStore(bytes, spare: 512), progress: HeadProgress(of: bytes.bytes)))
            charge(connection)
            return waitOrReadOn(connection)
        case .head:
            return beginBody(connection, bytes, in: head?.bytes, on: bench)
        }
    }

    // MARK: Body

    private func beginBody(
        _ connection: Connection, _ bytes: UnsafeRawBufferPointer, in store: ByteStore?, on bench: Workbench
    ) -> Progress {
        let size = bench.parser.head.byteCount
        connection.session.begin(
            isPersistent: bench.parser.head.isPersistent, expectsContinue: bench.parser.head.expectsContinue,
            hasBegunBody: bytes.count > size)
        if now < admission.isShortUntil, admission.asksToLeave(now: now, count: connections.count) {
            connection.session.leave()
        }
        let receipt: BodyReceipt
        switch bench.parser.head.framing {
        case .none:
            return complete(connection, bytes, size: size, body: .none, in: store, on: bench)
        case .length(let length):
            // One that is larger goes where all of its size do, though it is here: held requests are many.
            if bytes.count - size >= length, length <= configuration.body.memory || configuration.streamsBodies {
                let body = length == 0 ? RequestBody.none : .inline(offset: size, count: length)
                return complete(connection, bytes, size: size + length, body: body, in: store, on: bench)
            }
            if configuration.streamsBodies { return beginStream(connection, bytes, size: size, in: store, on: bench) }
            if length > configuration.body.memory, !spool.allowance.hasRoom(for: length) {
                refuseBody(connection, .limitReached, head: bytes)
                return .wait
            }
            receipt = BodyReceipt(length: length, now: now)
        case .chunked:
            do throws(WireError) {
                if configuration.streamsBodies, try !isWhole(chunked: bytes.from(size)) {
                    return beginStream(connection, bytes, size: size, in: store, on: bench)
                }
            } catch {
                refuse(connection, error, head: bytes)
                return .wait
            }
            receipt = BodyReceipt(chunkedUnder: configuration.policy, now: now)
        }

        if connection.session.takeContinue() { InterimResponse.sendContinue(on: connection) }
        // The head waits for the body in memory of its own; what is behind the body joins it when the body is complete.
        let early = bytes.from(size)
        let body: PartialBody
        let copy: ByteStore?
        if let store {
            copy = early.count > 0 ? ByteStore(early) : nil
            body = PartialBody(head: store.shortened(to: size), receipt: receipt)
        } else {
            copy = nil
            body = PartialBody(head: ByteStore(UnsafeRawBufferPointer(rebasing: bytes[..<size])), receipt: receipt)
        }
        connection.life.beginBody(body)
        setDeadline(connection, after: configuration.timeouts.body)
        return withExtendedLifetime(copy) { take(copy?.bytes ?? early, of: connection, body, on: bench) }
    }

    /// The application runs now and reads the body itself.
    private func beginStream(
        _ connection: Connection, _ bytes: UnsafeRawBufferPointer, size: Int, in store: ByteStore?, on bench: Workbench
    ) -> Progress {
        let early = bytes.from(size)
        let stream = BodyStream(
            of: connection, framing: bench.parser.head.framing, early: early, policy: configuration.policy,
            timeout: configuration.timeouts.body)
        store?.truncate(size)
        let head = UnsafeRawBufferPointer(rebasing: bytes[..<size])
        return complete(connection, head, size: size, body: .stream(stream), in: store, on: bench)
    }

    /// Reads on, for one turn.
    func readBody(_ connection: Connection, _ body: PartialBody, on bench: Workbench) -> Progress {
        // Nothing is read that nobody can keep: the client waits.
        if body.receipt.isAtDisk { return .wait }
        if body.receipt.isComplete { return goOn(connection, body, on: bench) }
        var start = Clock.now()
        var budget = TurnBudget(bytes: TurnBudget.received, besideInteractive: batch.hasInteractiveClients, now: start)
        while true {
            guard let (count, progress) = readPiece(connection, body, atMost: budget.piece, at: start, on: bench) else {
                return pause(connection, body, on: bench)
            }
            guard case .again = progress else { return progress }
            let end = Clock.now()
            body.receipt.piece.note(count, took: end &- start)
            guard budget.spend(count, now: end) else { return .again }
            start = end
        }
    }

    /// Reads a piece of a body: what goes to a file as it is, where it is written from. Nil as with `read`.
    private func readPiece(
        _ connection: Connection, _ body: PartialBody, atMost limit: Int, at now: Nanoseconds, on bench: Workbench
    ) -> (count: Int, progress: Progress)? {
        let receipt = body.receipt
        let size = min(batch.hasInteractiveClients ? receipt.piece.small : receipt.piece.bytes, limit)
        let count: Int
        let progress: Progress
        if let room = receipt.room(atMost: size) {
            guard let read = read(connection, into: room) else { return nil }
            count = read
            if receipt.makesProgress(count, now: now) { setDeadline(connection, after: configuration.timeouts.body) }
            receipt.fill(count)
            receipt.note(flows: connection.mayBeReadable)
            progress = goOn(connection, body, on: bench)
        } else {
            guard let bytes = read(connection, upTo: size, on: bench) else { return nil }
            count = bytes.count
            if receipt.makesProgress(count, now: now) { setDeadline(connection, after: configuration.timeouts.body) }
            receipt.note(flows: connection.mayBeReadable)
            progress = take(bytes, of: connection, body, on: bench)
        }
        return (count, progress)
    }

    /// Nothing more has come of a body, if its connection has not ended: what waits for more goes to the disk where it
    /// is enough for a write.
    private func pause(_ connection: Connection, _ body: PartialBody, on bench: Workbench) -> Progress {
        guard case .body = connection.phase else { return .wait }
        body.receipt.note(flows: false)
        return goOn(connection, body, on: bench)
    }

    /// Whether a client sends faster than its body is dealt with, and there is memory for that.
    func isFast(_ connection: Connection) -> Bool { connection.mayBeReadable && !memory.isExceeded }

    /// Gives bytes to a body under way.
    private func take(
        _ bytes: UnsafeRawBufferPointer, of connection: Connection, _ body: PartialBody, on bench: Workbench
    ) -> Progress {
        let limit = memory.isExceeded ? 0 : configuration.body.memory
        do throws(WireError) {
            try body.receipt.take(bytes, memory: limit, spool: spool)
        } catch {
            refuse(connection, error, head: body.head.bytes)
            return .wait
        }
        return goOn(connection, body, on: bench)
    }

    /// What comes after bytes of a body, and after its way to the disk: first that, then the end or more bytes.
    func goOn(_ connection: Connection, _ body: PartialBody, on bench: Workbench) -> Progress {
        let receipt = body.receipt
        if let write = receipt.beginWrite(for: connection, in: spool, isFast: isFast(connection)) {
            charge(connection)
            spool.submit(write)
            return .wait
        }
        charge(connection)
        guard receipt.isComplete else { return waitOrReadOn(connection) }
        let store = body.head
        let size = store.count
        if let rest = receipt.takeRest() { store.append(rest.bytes) }
        // The bench may have parsed for others while this body arrived. It parsed these bytes before, so it cannot
        // fail.
        parseAgain(connection, store.bytes, on: bench)
        return complete(connection, store.bytes, size: size, body: receipt.body, in: store, on: bench)
    }

    // MARK: Complete

    /// `bytes` starts with a whole request of `size` bytes, parsed on the bench. What follows is kept for later.
    ///
    /// - Parameter store: where the bytes are kept; nil for bytes on the bench.
    @inline(__always)
    private func complete(
        _ connection: Connection, _ bytes: UnsafeRawBufferPointer, size: Int, body: RequestBody, in store: ByteStore?,
        on bench: Workbench
    ) -> Progress {
        var received: ReceivedBytes?
        if let store {
            received = ReceivedBytes(store: store, requestCount: size)
        } else if bytes.count > size {
            received = ReceivedBytes(store: ByteStore(bytes.from(size)), requestCount: 0)
        }
        connection.deadline = 0
        connection.completed = now
        requestCount &+= 1
        bench.request = UnsafeRawBufferPointer(rebasing: bytes[..<size])
        connection.life.run(RunningRequest(body: body, received: received))
        return .complete
    }

    /// Makes a complete request independent of the bench: its bytes move into the connection, and it is held.
    func detach(_ connection: Connection, from bench: Workbench) {
        guard case .running(let request) = connection.phase else { return }
        let received: ReceivedBytes
        if let kept = request.received, kept.requestCount > 0 {
            received = kept
        } else {
            let store = ByteStore(bench.request, spare: request.received?.store.count ?? 0)
            if let later = request.received?.store { store.append(later.bytes) }
            received = ReceivedBytes(store: store, requestCount: bench.request.count)
        }
        connection.life.hold(
            HeldRequest(
                received: received, body: request.body, since: now,
                method: MethodClass(bench.parser.head.knownMethod), path: bench.parser.head.path))
        charge(connection)
    }

    /// Takes up a held request. False for a connection that has none any more.
    func resume(_ connection: Connection, on bench: Workbench) -> Bool {
        guard case .held(let request) = connection.phase else { return false }
        let received = request.received
        parseAgain(connection, received.store.bytes, on: bench)
        bench.request = UnsafeRawBufferPointer(rebasing: received.store.bytes[..<received.requestCount])
        connection.life.run(RunningRequest(body: request.body, received: received))
        return true
    }

    func parseAgain(_ connection: Connection, _ bytes: UnsafeRawBufferPointer, on bench: Workbench) {
        guard
            case .head? = try? bench.parser.parse(bytes.bytes, fromTrustedPeer: connection.trust.contains(.forwarding))
        else {
            preconditionFailure("bytes that parsed once do not parse again")
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func from(_ offset: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[offset...])
    }
}
