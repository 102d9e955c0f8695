internal import HTTPServer
internal import Platform
internal import Synchronization

/// What became of a connection that was to go to another worker.
enum Posting {
    case posted
    /// The relay takes no more at the moment: the connection stays, which is no error.
    case later
    /// Its body is on its way to a file, without which it cannot go. To be asked again.
    case atDisk
    /// It stays: another process could not go on with it.
    case stays
}

/// What of a connection travels to another worker.
extension Connection {
    /// Makes a parcel of the connection as it stands, and lends what goes with it. A body that is too large for the
    /// message has to be in a file: the disk's thread brings it there first.
    func withParcel(_ body: (Parcel, ParcelBytes, SpoolFile?) -> Posting) -> Posting {
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
            return lend(partial.head) { pack(parcel, $0, partial.receipt, body) }
        case .held(let request):
            parcel.phase = .held
            parcel.began = completed
            return pack(parcel, request, body)
        case .running, .draining, .discarding, .lingering, .closed:
            return .stays
        }
    }

    /// Its request is over, or it is: nobody wants the file that its body was copied to.
    @inline(__always)
    func abandonBodyCopy() {
        // Where the disk's thread still has it, it is kept: there is one at a time.
        if let copy = bodyCopy, !copy.abandon() { bodyCopy = nil }
    }

    private func lend<Result>(_ store: ByteStore?, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withExtendedLifetime(store) { body(store?.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0)) }
    }

    /// A request whose body is on its way.
    private func pack(
        _ parcel: Parcel, _ head: UnsafeRawBufferPointer, _ receipt: BodyReceipt,
        _ body: (Parcel, ParcelBytes, SpoolFile?) -> Posting
    ) -> Posting {
        var parcel = parcel
        switch receipt.luggage(atMost: Parcel.byteLimit - head.count) {
        case .stays: return .stays
        case .atDisk: return .atDisk
        case .unwritten:
            guard let write = receipt.beginPacking(for: self, in: spool) else { return .stays }
            spool.submit(write)
            return .atDisk
        case .nothing: return body(parcel, ParcelBytes(received: head), nil)
        case .part(let part, let remaining, let recent):
            parcel.remaining = remaining
            parcel.recent = recent
            return pack(parcel, ParcelBytes(received: head), part, body)
        }
    }

    /// A complete request.
    private func pack(
        _ parcel: Parcel, _ request: HeldRequest, _ body: (Parcel, ParcelBytes, SpoolFile?) -> Posting
    ) -> Posting {
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
                return pack(parcel, ParcelBytes(received: head, rest: rest), body, copying: count) {
                    ByteStore(inline)
                }
            case .memory(let store):
                let head = UnsafeRawBufferPointer(rebasing: all[..<size])
                let bytes = ParcelBytes(received: head, rest: rest)
                guard bytes.count + store.count <= Parcel.byteLimit else {
                    return pack(parcel, bytes, body, copying: 0) { store }
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
    private func pack(
        _ parcel: Parcel, _ bytes: ParcelBytes, _ content: RequestBody,
        _ body: (Parcel, ParcelBytes, SpoolFile?) -> Posting
    ) -> Posting {
        var (parcel, bytes) = (parcel, bytes)
        switch content {
        case .memory(let store):
            parcel.body = .memory
            bytes.body = store.bytes
            return withExtendedLifetime(store) { body(parcel, bytes, nil) }
        case .file(let file):
            parcel.body = .file(count: file.count)
            return body(parcel, bytes, file)
        case .none, .inline, .stream:
            return .stays
        }
    }

    /// One in memory that is too large for the message. Where the disk is full, or memory for a copy is missing, it
    /// stays where it is.
    ///
    /// - Parameters:
    ///   - count: bytes that are copied for it; 0 where `store` is the body itself.
    ///   - store: a copy of the body, or the body itself.
    private func pack(
        _ parcel: Parcel, _ bytes: ParcelBytes, _ body: (Parcel, ParcelBytes, SpoolFile?) -> Posting,
        copying count: Int, of store: () -> ByteStore
    ) -> Posting {
        guard let copy = bodyCopy else {
            let memory = outbox.budget
            guard count == 0 || memory?.hasRoom(for: count) ?? true else { return .stays }
            let copy = BodyCopy(
                store(), isOwn: count > 0, for: session.requestCount, in: spool, memory: memory)
            bodyCopy = copy
            spool.submit(copy)
            return .atDisk
        }
        // Perhaps one of an earlier request: there is one at a time.
        guard copy.isDone else { return .atDisk }
        guard copy.request == session.requestCount else {
            bodyCopy = nil
            return pack(parcel, bytes, body, copying: count, of: store)
        }
        guard copy.fault == nil, let file = copy.file else { return .stays }
        return pack(parcel, bytes, .file(file), body)
    }
}
