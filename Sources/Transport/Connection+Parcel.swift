internal import HTTPServer
internal import Platform
internal import Synchronization

/// What of a connection travels to another worker.
extension Connection {
    /// Makes a parcel of the connection as it stands, and lends what goes with it.
    ///
    /// - Parameter spool: where a body that is too large for the message is written to.
    /// - Returns: nil where another process could not go on with it.
    func withParcel<Result>(
        spoolingIn spool: Spool, _ body: (Parcel, ParcelBytes, SpoolFile?) -> Result
    ) -> Result? {
        guard outbox.isEmpty, !hungUp, !isSocketAtDisk.load(ordering: .relaxed) else { return nil }
        var parcel = Parcel(peer: peer)
        parcel.route = proxyRoute
        parcel.trust = trust
        parcel.requestCount = session.requestCount
        parcel.hops = Int(hops) + 1
        parcel.deadline = deadline
        if mayBeReadable { parcel.flags.insert(.mayBeReadable) }
        if peerClosed { parcel.flags.insert(.peerClosed) }
        if hops == 0 { parcel.flags.insert(.servedHere) }
        switch phase {
        case .preamble(let start):
            parcel.phase = .preamble
            return lend(start) { body(parcel, ParcelBytes(received: $0), nil) }
        case .idle:
            parcel.phase = .idle
            return body(parcel, ParcelBytes(), nil)
        case .head(let head):
            parcel.phase = .head
            return lend(head.bytes) { body(parcel, ParcelBytes(received: $0), nil) }
        case .body(let partial):
            parcel.phase = .body
            // It was sent with the head, if it was owed.
            parcel.flags.insert(.sentContinue)
            return lend(partial.head) { pack(parcel, $0, partial.receipt, spoolingIn: spool, body) }
        case .held(let request):
            parcel.phase = .held
            parcel.began = completed
            return pack(parcel, request, spoolingIn: spool, body)
        case .running, .draining, .discarding, .lingering, .closed:
            return nil
        }
    }

    private func lend<Result>(_ store: ByteStore?, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withExtendedLifetime(store) { body(store?.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0)) }
    }

    /// A request whose body is on its way.
    private func pack<Result>(
        _ parcel: Parcel, _ head: UnsafeRawBufferPointer, _ receipt: BodyReceipt, spoolingIn spool: Spool,
        _ body: (Parcel, ParcelBytes, SpoolFile?) -> Result
    ) -> Result? {
        var parcel = parcel
        switch receipt.luggage {
        case .stays: return nil
        case .nothing: return body(parcel, ParcelBytes(received: head), nil)
        case .part(let part, let remaining, let recent):
            parcel.remaining = remaining
            parcel.recent = recent
            return pack(
                parcel, ParcelBytes(received: head), part, spoolingIn: spool, body)
        }
    }

    /// A complete request.
    private func pack<Result>(
        _ parcel: Parcel, _ request: HeldRequest, spoolingIn spool: Spool,
        _ body: (Parcel, ParcelBytes, SpoolFile?) -> Result
    ) -> Result? {
        withExtendedLifetime(request.received.store) {
            let all = request.received.store.bytes
            let size = request.received.requestCount
            let rest = UnsafeRawBufferPointer(rebasing: all[size...])
            switch request.body {
            case .none:
                return body(parcel, ParcelBytes(received: all), nil)
            case .inline(let offset, let count):
                if all.count <= Parcel.byteLimit { return body(parcel, ParcelBytes(received: all), nil) }
                let inline = UnsafeRawBufferPointer(rebasing: all[offset..<offset + count])
                let head = UnsafeRawBufferPointer(rebasing: all[..<offset])
                return pack(
                    parcel, ParcelBytes(received: head, rest: rest), .memory(ByteStore(inline)),
                    spoolingIn: spool, body)
            case .memory, .file:
                let head = UnsafeRawBufferPointer(rebasing: all[..<size])
                return pack(
                    parcel, ParcelBytes(received: head, rest: rest), request.body, spoolingIn: spool, body)
            case .stream:
                return nil
            }
        }
    }

    /// A body apart from its framing: in the message if it is small, and in its file otherwise.
    private func pack<Result>(
        _ parcel: Parcel, _ bytes: ParcelBytes, _ content: RequestBody, spoolingIn spool: Spool,
        _ body: (Parcel, ParcelBytes, SpoolFile?) -> Result
    ) -> Result? {
        var (parcel, bytes) = (parcel, bytes)
        switch content {
        case .memory(let store):
            if bytes.count + store.count <= Parcel.byteLimit {
                parcel.body = .memory
                bytes.body = store.bytes
                return withExtendedLifetime(store) { body(parcel, bytes, nil) }
            }
            // Where the disk is full it stays where it is.
            let file = SpoolFile(in: spool)
            guard (try? file.write(store.bytes)) != nil else { return nil }
            parcel.body = .file(count: file.count)
            return withExtendedLifetime(file) { body(parcel, bytes, file) }
        case .file(let file):
            parcel.body = .file(count: file.count)
            return body(parcel, bytes, file)
        case .none, .inline, .stream:
            return nil
        }
    }
}
