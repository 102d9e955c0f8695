internal import HTTPServer
internal import Platform
internal import Synchronization

/// Whether a connection can travel to another worker.
enum Packing<Result> {
    /// It can: what became of it.
    case packed(Result)
    /// Its body is on its way to a file. To be asked again.
    case atDisk
    /// Another process could not go on with it.
    case stays

    init(_ result: Result) { self = .packed(result) }
}

/// What of a connection travels to another worker.
extension Connection {
    /// Makes a parcel of the connection as it stands, and lends what goes with it. A body that is too large for the
    /// message has to be in a file: the disk's thread brings it there first.
    func withParcel<Result>(_ body: (Parcel, ParcelBytes, SpoolFile?) -> Result) -> Packing<Result> {
        guard outbox.isEmpty, !hungUp, !isSocketAtDisk.load(ordering: .relaxed) else { return .stays }
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
            return lend(start) { Packing(body(parcel, ParcelBytes(received: $0), nil)) }
        case .idle:
            parcel.phase = .idle
            return Packing(body(parcel, ParcelBytes(), nil))
        case .head(let head):
            parcel.phase = .head
            return lend(head.bytes) { Packing(body(parcel, ParcelBytes(received: $0), nil)) }
        case .body(let partial):
            parcel.phase = .body
            // It was sent with the head, if it was owed.
            parcel.flags.insert(.sentContinue)
            return lend(partial.head) { pack(parcel, $0, partial.receipt, body) }
        case .held(let request):
            parcel.phase = .held
            parcel.began = completed
            return pack(parcel, request, body)
        case .running, .draining, .discarding, .lingering, .closed:
            return .stays
        }
    }

    private func lend<Result>(_ store: ByteStore?, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withExtendedLifetime(store) { body(store?.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0)) }
    }

    /// A request whose body is on its way.
    private func pack<Result>(
        _ parcel: Parcel, _ head: UnsafeRawBufferPointer, _ receipt: BodyReceipt,
        _ body: (Parcel, ParcelBytes, SpoolFile?) -> Result
    ) -> Packing<Result> {
        var parcel = parcel
        switch receipt.luggage(atMost: Parcel.byteLimit - head.count) {
        case .stays: return .stays
        case .atDisk: return .atDisk
        case .unwritten:
            guard let write = receipt.beginPacking(for: self, in: spool) else { return .stays }
            spool.submit(write)
            return .atDisk
        case .nothing: return Packing(body(parcel, ParcelBytes(received: head), nil))
        case .part(let part, let remaining, let recent):
            parcel.remaining = remaining
            parcel.recent = recent
            return pack(parcel, ParcelBytes(received: head), part, body)
        }
    }

    /// A complete request.
    private func pack<Result>(
        _ parcel: Parcel, _ request: HeldRequest, _ body: (Parcel, ParcelBytes, SpoolFile?) -> Result
    ) -> Packing<Result> {
        withExtendedLifetime(request.received.store) {
            let all = request.received.store.bytes
            let size = request.received.requestCount
            let rest = UnsafeRawBufferPointer(rebasing: all[size...])
            switch request.body {
            case .none:
                return Packing(body(parcel, ParcelBytes(received: all), nil))
            case .inline(let offset, let count):
                if all.count <= Parcel.byteLimit { return Packing(body(parcel, ParcelBytes(received: all), nil)) }
                let inline = UnsafeRawBufferPointer(rebasing: all[offset..<offset + count])
                let head = UnsafeRawBufferPointer(rebasing: all[..<offset])
                return pack(parcel, ParcelBytes(received: head, rest: rest), body) { ByteStore(inline) }
            case .memory(let store):
                let head = UnsafeRawBufferPointer(rebasing: all[..<size])
                let bytes = ParcelBytes(received: head, rest: rest)
                guard bytes.count + store.count <= Parcel.byteLimit else {
                    return pack(parcel, bytes, body) { store }
                }
                return pack(parcel, bytes, request.body, body)
            case .file:
                let head = UnsafeRawBufferPointer(rebasing: all[..<size])
                return pack(parcel, ParcelBytes(received: head, rest: rest), request.body, body)
            case .stream:
                return .stays
            }
        }
    }

    /// A body apart from its framing, which is in a file or small enough for the message.
    private func pack<Result>(
        _ parcel: Parcel, _ bytes: ParcelBytes, _ content: RequestBody,
        _ body: (Parcel, ParcelBytes, SpoolFile?) -> Result
    ) -> Packing<Result> {
        var (parcel, bytes) = (parcel, bytes)
        switch content {
        case .memory(let store):
            parcel.body = .memory
            bytes.body = store.bytes
            return withExtendedLifetime(store) { Packing(body(parcel, bytes, nil)) }
        case .file(let file):
            parcel.body = .file(count: file.count)
            return Packing(body(parcel, bytes, file))
        case .none, .inline, .stream:
            return .stays
        }
    }

    /// One in memory that is too large for the message. Where the disk is full it stays where it is.
    ///
    /// - Parameter store: a copy of the body, or the body itself.
    private func pack<Result>(
        _ parcel: Parcel, _ bytes: ParcelBytes, _ body: (Parcel, ParcelBytes, SpoolFile?) -> Result,
        of store: () -> ByteStore
    ) -> Packing<Result> {
        guard let copy = bodyCopy else {
            let copy = BodyCopy(store(), for: session.requestCount, in: spool)
            bodyCopy = copy
            spool.submit(copy)
            return .atDisk
        }
        // Perhaps one of an earlier request: there is one at a time.
        guard copy.isDone else { return .atDisk }
        guard copy.request == session.requestCount else {
            bodyCopy = nil
            return pack(parcel, bytes, body, of: store)
        }
        guard copy.fault == nil, let file = copy.file else { return .stays }
        return pack(parcel, bytes, .file(file), body)
    }
}
