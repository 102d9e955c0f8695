internal import HTTPServer
internal import HTTPWire
internal import Platform
internal import Telemetry

/// Connections that come from another worker of the server.
extension Reactor {
    /// Watches the relay while this worker has a runner and a place free. Level-triggered, as the listeners are, and
    /// for the same reason.
    func updateRelay() {
        guard let sharing else { return }
        let wanted =
            admission.isWanted && !isClosing && sharing.parting == nil && now >= sharing.pausedUntil
            && !admission.isFull(count: connections.count)
        guard wanted != sharing.isWatching else { return }
        sharing.isWatching = wanted
        do {
            if wanted {
                try poller.add(sharing.commons.relay.outlet, .readable, payload: Payload.relay)
            } else {
                try poller.remove(sharing.commons.relay.outlet)
            }
        } catch {
            note(.error, "The relay cannot be watched: \(error).")
        }
    }

    /// The relay has something: takes it, up to the first complete request.
    ///
    /// - Returns: that request's connection, whose head is parsed on the bench.
    func adoptSome(on bench: Workbench) -> Connection? {
        guard let sharing, sharing.isWatching else { return nil }
        for _ in 0..<Sharing.share where !admission.isFull(count: connections.count) {
            switch adoptNext(sharing, on: bench) {
            case .nothing: return nil
            case .complete(let connection): return connection
            case .incomplete, .lost: continue
            }
        }
        return nil
    }

    enum Adoption {
        /// The relay is empty, or this process has no room.
        case nothing
        case complete(Connection)
        case incomplete
        /// What came was no connection.
        case lost
    }

    /// Takes the next parcel.
    func adoptNext(_ sharing: Sharing, on bench: Workbench) -> Adoption {
        let message: (byteCount: Int, descriptors: [Descriptor])
        do throws(RelayError) {
            guard let next = try sharing.commons.relay.receive(into: bench.buffer, room: 2) else { return .nothing }
            message = next
            if admission.isYielding { admission.endYielding() }
        } catch {
            return adoptNothing(error, sharing)
        }
        do throws(ParcelError) {
            let (parcel, bytes) = try Parcel.decode(
                UnsafeRawBufferPointer(rebasing: bench.buffer[..<message.byteCount]),
                descriptors: message.descriptors.count)
            let file = message.descriptors.count > 1 ? message.descriptors[1] : nil
            let connection = adopt(message.descriptors[0], parcel)
            sharing.commons.cell.countRelayedIn()
            return goOn(connection, parcel, bytes, file: file, on: bench) ? .complete(connection) : .incomplete
        } catch {
            // Never of our making. The clients are told by the end of their connections.
            for descriptor in message.descriptors { Channel(socket: descriptor).shutdownAndClose() }
            note(.error, "A connection from another worker is lost: \(error).")
            return .lost
        }
    }

    private func adoptNothing(_ error: RelayError, _ sharing: Sharing) -> Adoption {
        if sharing.isNews(now) { note(.error, "Connections of other workers cannot be taken: \(error).") }
        switch error {
        case .descriptorsLost, .truncated: return .lost
        default:
            // What came is left to the others.
            sharing.pausedUntil = now + Sharing.pause
            schedule(wakeAt: sharing.pausedUntil)
            updateRelay()
            guard case .noRoomForDescriptors = error else { return .nothing }
            admission.yield(now: now, until: sharing.pausedUntil)
            updateAccepting()
            if let stalled = whoGivesWay().connection { giveWay(stalled) }
            return .nothing
        }
    }

    /// A connection that was posted. All that was said or promised once is kept, its deadline too.
    private func adopt(_ socket: Descriptor, _ parcel: Parcel) -> Connection {
        // The parser will count the request again.
        let isCounted = parcel.phase == .body || parcel.phase == .held
        let connection = adopt(
            socket, peer: parcel.peer,
            listener: listeners.firstIndex { $0.identity == parcel.listener } ?? listeners.count,
            trust: parcel.trust, startsWithPreamble: parcel.phase == .preamble,
            session: HTTP1Session(
                keepsAlive: configuration.keepsAlive, requestCount: parcel.requestCount - (isCounted ? 1 : 0),
                hasSentContinue: parcel.flags.contains(.sentContinue)))
        connection.proxyRoute = parcel.route
        connection.hops = UInt8(clamping: parcel.hops)
        connection.mayBeReadable = parcel.flags.contains(.mayBeReadable)
        connection.peerClosed = parcel.flags.contains(.peerClosed)
        connection.deadline = parcel.deadline
        return connection
    }

    /// Goes on where the other worker stopped. True when the request is complete.
    private func goOn(
        _ connection: Connection, _ parcel: Parcel, _ bytes: ParcelBytes, file: Descriptor?, on bench: Workbench
    ) -> Bool {
        let file = file.map { SpoolFile($0, count: parcel.body.fileByteCount, in: spool) }
        switch (parcel.phase, parcel.body) {
        case (.idle, _):
            break
        case (.preamble, _):
            if bytes.received.count > 0 { connection.life.keepPreamble(ByteStore(bytes.received, spare: 512)) }
        case (.head, _):
            connection.life.keepHead(PartialHead(bytes: ByteStore(bytes.received, spare: 512)))
            return advance(connection, on: bench)
        case (.body, .unparsed), (.held, .unparsed):
            return parseAdopted(connection, parcel, bytes.received, on: bench)
        case (.body, _), (.held, _):
            return takeUp(connection, parcel, bytes, file, on: bench)
        }
        if isClosing {
            // A look at it, and then it is given up, as those are that were here.
            enqueue(connection)
            return false
        }
        guard connection.mayBeReadable else {
            watch(connection)
            return false
        }
        return advance(connection, on: bench)
    }

    /// All of the request as it came: it is read as if it came now.
    private func parseAdopted(
        _ connection: Connection, _ parcel: Parcel, _ bytes: UnsafeRawBufferPointer, on bench: Workbench
    ) -> Bool {
        let progress = parseHead(connection, bytes, on: bench)
        if progress == .complete { connection.completed = parcel.began }
        // Nobody gets more time by travelling.
        if case .body = connection.phase, parcel.phase == .body { connection.deadline = parcel.deadline }
        return progress == .complete || progress == .again && advance(connection, on: bench)
    }

    /// A request whose body was taken out of its framing, all of it or a part.
    private func takeUp(
        _ connection: Connection, _ parcel: Parcel, _ bytes: ParcelBytes, _ file: SpoolFile?, on bench: Workbench
    ) -> Bool {
        do throws(WireError) {
            guard
                case .head = try bench.parser.parse(
                    bytes.received.bytes, fromTrustedPeer: connection.trust.contains(.forwarding)),
                bench.parser.head.byteCount == bytes.received.count
            else {
                close(connection)
                return false
            }
        } catch {
            // It may be refused by a newer configuration.
            refuse(connection, error, head: bytes.received)
            return false
        }
        connection.session.begin(
            isPersistent: bench.parser.head.isPersistent, expectsContinue: false, hasBegunBody: true)
        let body: RequestBody = file.map { .file($0) } ?? .memory(ByteStore(bytes.body))
        if let remaining = parcel.remaining {
            let allowed = configuration.timeouts.body
            let receipt = BodyReceipt(
                body, remaining: remaining, recent: parcel.recent,
                lastProgress: parcel.deadline > allowed ? parcel.deadline - allowed : now)
            connection.life.beginBody(PartialBody(head: ByteStore(bytes.received), receipt: receipt))
            guard connection.mayBeReadable else {
                watch(connection)
                return false
            }
            return advance(connection, on: bench)
        }
        let received =
            bytes.rest.count > 0 ? ReceivedBytes(store: ByteStore(bytes.rest), requestCount: 0) : nil
        connection.deadline = 0
        connection.completed = parcel.began
        requestCount &+= 1
        bench.request = bytes.received
        connection.life.run(RunningRequest(body: body, received: received))
        return true
    }
}

extension Parcel.Body {
    fileprivate var fileByteCount: Int {
        if case .file(let count) = self { count } else { 0 }
    }
}
