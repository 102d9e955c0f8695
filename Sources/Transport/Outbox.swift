internal import Platform

/// Bytes that the socket has not taken yet.
///
/// A run of bytes may belong to somebody else, who must be told when it is sent: `owner` is handed back then. Transport
/// does not know what it is.
struct Outbox {
    enum Segment {
        /// A copy of ours, of which the first `sent` bytes have left.
        case copy(ByteStore, sent: Int)
        /// Somebody else's bytes.
        case bytes(UnsafeRawBufferPointer, owner: UnsafeMutableRawPointer)
        /// Part of a file, sent by the kernel itself. The descriptor is ours and closed at the end.
        case file(Descriptor, offset: Int, count: Int)
    }

    private var segments: [Segment] = []
    /// Bytes waiting.
    private(set) var count = 0

    var isEmpty: Bool { segments.isEmpty }
    /// Runs that are sent one by one.
    var segmentCount: Int { segments.count }

    /// A copy grows up to this size, in bytes, before the next one is begun.
    private static let copySize = 65_536

    /// Queues a copy. Small ones are joined: an application may yield a great many blocks to a client that reads none,
    /// and each segment costs a system call and a place in the array.
    mutating func append(copying bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        count += bytes.count
        if case .copy(let store, _) = segments.last, store.count + bytes.count <= Self.copySize {
            store.append(bytes)
        } else {
            segments.append(.copy(ByteStore(bytes), sent: 0))
        }
    }

    /// Queues bytes that stay where they are until `owner` comes back from `Reactor.takeReleases`, or from `flush`.
    mutating func append(_ bytes: UnsafeRawBufferPointer, owner: UnsafeMutableRawPointer) {
        segments.append(.bytes(bytes, owner: owner))
        count += bytes.count
    }

    /// Queues part of a file. Takes the descriptor over.
    mutating func append(file: Descriptor, offset: Int, count size: Int) {
        segments.append(.file(file, offset: offset, count: size))
        count += size
    }

    /// What `flush` throws when a file has fewer bytes than were promised of it: nobody but the server knows of that.
    static var fileEnded: SystemError { SystemError(.invalidArgument, call: "sendfile (the file has ended)") }

    /// How a turn ended.
    enum Flush {
        /// All is sent.
        case done
        /// The socket takes no more.
        case full
        /// It may take more, but it is the others' turn.
        case turnOver
    }

    /// Sends what the socket takes, for one turn. Owners whose bytes are all sent go to `releases`.
    ///
    /// - Throws: `SystemError` when the connection is lost, or a file ended before its time.
    mutating func flush(
        to channel: Channel, releasing releases: inout [UnsafeMutableRawPointer]
    ) throws(SystemError) -> Flush {
        var budget = TurnBudget(bytes: TurnBudget.sent)
        while let segment = segments.first {
            let sent: Int
            switch segment {
            case .copy(let store, let before):
                let rest = UnsafeRawBufferPointer(rebasing: store.bytes[before...])
                guard case .processed(let size) = try channel.send(rest) else { return .full }
                sent = size
                count -= sent
                if sent < rest.count {
                    segments[0] = .copy(store, sent: before + sent)
                } else {
                    segments.removeFirst()
                }
            case .bytes(let bytes, let owner):
                if bytes.count > 0 {
                    let piece = UnsafeRawBufferPointer(rebasing: bytes.prefix(budget.piece))
                    guard case .processed(let size) = try channel.send(piece) else { return .full }
                    sent = size
                } else {
                    sent = 0
                }
                count -= sent
                if sent < bytes.count {
                    segments[0] = .bytes(UnsafeRawBufferPointer(rebasing: bytes[sent...]), owner: owner)
                } else {
                    releases.append(owner)
                    segments.removeFirst()
                }
            case .file(let file, let offset, let size):
                let piece = min(size, budget.piece)
                guard case .processed(let taken) = try channel.sendFile(file, from: offset, count: piece) else {
                    return .full
                }
                sent = taken
                // The file is shorter than it was: what was promised cannot be sent, and must not be made up.
                if sent == 0, size > 0 { throw Self.fileEnded }
                count -= sent
                if sent < size {
                    segments[0] = .file(file, offset: offset + sent, count: size - sent)
                } else {
                    file.close()
                    segments.removeFirst()
                }
            }
            guard budget.spend(sent, now: Clock.now()) else { return isEmpty ? .done : .turnOver }
        }
        return .done
    }

    /// Gives everything up. Owners go to `releases`.
    mutating func discard(releasing releases: inout [UnsafeMutableRawPointer]) {
        for segment in segments {
            switch segment {
            case .copy: break
            case .bytes(_, let owner): releases.append(owner)
            case .file(let file, _, _): file.close()
            }
        }
        segments.removeAll()
        count = 0
    }
}
