internal import HTTPServer
internal import HTTPWire
internal import Platform
public import Scheduling
internal import Telemetry

/// Connections that go to another worker of the server.
extension Reactor {
    /// Posts a connection: it is no connection of this worker's any more, and its client does not notice.
    func post(_ connection: Connection, _ sharing: Sharing) -> Posting {
        let cell = sharing.commons.cell
        let outcome = connection.withParcel { parcel, bytes, file in
            var parcel = parcel
            if connection.listener < listeners.count { parcel.listener = listeners[connection.listener].identity }
            guard let size = try? parcel.encode(bytes, into: sharing.message) else { return .stays }
            file?.lend()
            do throws(RelayError) {
                switch try sharing.commons.relay.send(
                    UnsafeRawBufferPointer(rebasing: sharing.message[..<size]),
                    [connection.channel.socket] + (file.map { [$0.descriptor] } ?? []))
                {
                case .sent:
                    notePosted(connection, in: cell, messageSize: size)
                    return .posted
                case .full, .tooManyOnTheWay, .noMemory: return .later
                }
            } catch {
                if case .tooLarge = error { return .stays }
                if sharing.isNews(now) { note(.error, "A connection cannot go to another worker: \(error).") }
                return .stays
            }
        }
        switch outcome {
        case .posted:
            forget(connection)
            cell.countRelayedOut()
        case .later: cell.countRelayFull()
        case .atDisk, .stays: break
        }
        return outcome
    }

    /// Somebody else has the connection, another worker or its application: it ends here without a word to the client.
    func forget(_ connection: Connection) {
        // Others have the socket open, so that closing it does not take it from the poller.
        if connection.isWatched { try? poller.remove(connection.channel.socket) }
        if case .held = connection.phase { requestCount &-= 1 }
        connection.abandonBodyCopy()
        if !connection.memoryCharge.isEmpty { discharge(connection) }
        connection.life.close()
        connections.remove(connection)
        if now < admission.isShortUntil { noteRoom() }
        connection.channel.close()
    }

    // MARK: What waits

    /// Whether requests are long enough that sharing them may pay. One load, where they are not.
    @inline(__always)
    public func mayShare(_ baton: borrowing Baton) -> Bool { sharing?.policy.mayShare ?? false }

    /// Whether a runner reads all that has come before it begins with the first, so that the rest does not wait for it
    /// unread.
    @inline(__always)
    public func readsAhead(_ baton: borrowing Baton) -> Bool { sharing?.policy.isQueueWorthwhile ?? false }

    /// Posts what waits here while others could begin it.
    ///
    /// - Parameters:
    ///   - free: runners here that can begin a request now.
    ///   - isStalled: every runner is in a request that takes its time.
    public func share(free: Int, isStalled: Bool, _ baton: borrowing Baton) {
        guard let sharing, sharing.parting == nil, isStalled || sharing.policy.mayShare, !held.isEmpty || !batch.isOver
        else { return }
        let waiting = batch.isOver ? [] : readableInBatch()
        guard held.count + waiting.count > free, sharing.commons.areOthersServing else { return }
        let idle = sharing.commons.idleElsewhere
        let postings = sharing.policy.postings(
            SharingPolicy.Situation(
                held: held.count, readable: waiting.count, free: free, idleElsewhere: idle,
                onTheWay: idle > 0 ? parcelsOnTheWay(sharing) : 0, isStalled: isStalled))
        if postings.held > 0 { postHeld(postings.held, behind: free, sharing) }
        for connection in waiting.prefix(postings.readable) where mayPost(connection, isSaturated: free == 0) {
            guard case .posted = post(connection, sharing) else { break }
        }
    }

    private func mayPost(_ connection: Connection, isSaturated: Bool) -> Bool {
        SharingPolicy.mayPost(hops: Int(connection.hops), isSaturated: isSaturated)
    }

    /// The oldest that no runner here begins go first.
    private func postHeld(_ count: Int, behind free: Int, _ sharing: Sharing) {
        var left = count
        for place in 0..<held.count {
            guard let connection = held.popFirst() else { return }
            if place >= free, left > 0, mayPost(connection, isSaturated: free == 0) {
                switch post(connection, sharing) {
                case .posted:
                    left -= 1
                    continue
                case .later: left = 0
                // It goes later, unless it runs before.
                case .atDisk: left -= 1
                case .stays: break
                }
            }
            held.append(connection)
        }
    }

    /// Connections between two requests whose turn to be read has not come.
    private func readableInBatch() -> [Connection] {
        batch.rest.compactMap { place in
            let (events, payload) = poller.event(place)
            guard payload & (Payload.listener | Payload.waker) == 0, events.contains(.readable),
                let connection = connections[payload], case .idle = connection.phase
            else { return nil }
            connection.mayBeReadable = true
            return connection
        }
    }

    /// How many parcels nobody has adopted yet, about.
    private func parcelsOnTheWay(_ sharing: Sharing) -> Int {
        let bytes = sharing.commons.relay.pendingByteCount
        return bytes == 0 ? 0 : max(1, bytes / Self.usualParcel)
    }

    /// Bytes of a parcel with a usual request.
    private static let usualParcel = 256

    // MARK: What the others see

    /// Tells the others how many runners wait for a request here, and once a second how many connections there are.
    /// Before each poll.
    public func announce(runners: Int, busy: Int, waiting: Int, isLeaving: Bool = false, _ baton: borrowing Baton) {
        sharing?.announce(
            isLeaving: isLeaving || isClosing, accepting: admission.attention == .now, runners: runners, busy: busy,
            waiting: waiting)
        if now >= sharing?.nextCensus ?? .max { takeCensus() }
    }

    /// One of the runners that waited has something to do.
    @inline(__always)
    func announceWork() {
        guard let sharing, sharing.presence.waiting > 0 else { return }
        sharing.announce(sharing.presence.withOneWaitingLess())
    }

    func announceLeaving() {
        guard let sharing else { return }
        sharing.announce(sharing.presence.leaving())
    }
}
