public import Platform

/// Bytes that the socket has not taken yet.
///
/// A run of bytes may belong to somebody else, who must be told when it is sent: `owner` is handed back then. Transport does
/// not know what it is.
public struct Outbox {
    enum Segment {
        /// `store` keeps the bytes alive when they are a copy of ours.
        case bytes(UnsafeRawBufferPointer, store: ByteStore?, owner: UnsafeMutableRawPointer?)
        /// Part of a file, sent by the kernel itself. The descriptor is ours and closed at the end.
        case file(Descriptor, offset: Int, count: Int)
    }

    private var segments: [Segment] = []
    /// Bytes waiting.
    public private(set) var count = 0

    public var isEmpty: Bool { segments.isEmpty }

    /// Queues a copy.
    public mutating func append(copying bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        let store = ByteStore(bytes)
        segments.append(.bytes(store.bytes, store: store, owner: nil))
        count += bytes.count
    }

    /// Queues bytes that stay where they are until `owner` comes back from `Reactor.takeReleases`, or from `flush`.
    public mutating func append(_ bytes: UnsafeRawBufferPointer, owner: UnsafeMutableRawPointer) {
        segments.append(.bytes(bytes, store: nil, owner: owner))
        count += bytes.count
    }

    /// Queues part of a file. Takes the descriptor over.
    public mutating func append(file: Descriptor, offset: Int, count size: Int) {
        segments.append(.file(file, offset: offset, count: size))
        count += size
    }

    /// Sends as much as the socket takes. Owners whose bytes are all sent go to `releases`.
    ///
    /// - Returns: whether all is sent.
    /// - Throws: `SystemError` when the connection is lost, or a file ended before its time.
    public mutating func flush(
        to socket: Descriptor, releasing releases: inout [UnsafeMutableRawPointer]
    ) throws(SystemError) -> Bool {
        while let segment = segments.first {
            switch segment {
            case .bytes(let bytes, let store, let owner):
                var sent = 0
                if bytes.count > 0 {
                    guard case .processed(let size) = try socket.send(bytes) else { return false }
                    sent = size
                }
                count -= sent
                if sent < bytes.count {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
                    segments[0] = .bytes(rest, store: store, owner: owner)
                } else {
                    if let owner { releases.append(owner) }
                    segments.removeFirst()
                }
            case .file(let file, let offset, let size):
                guard case .processed(let sent) = try socket.sendFile(file, from: offset, count: size) else {
                    return false
                }
                // The file is shorter than it was: what was promised cannot be sent, and must not be made up.
                if sent == 0, size > 0 { throw SystemError(.invalidArgument, call: "sendfile") }
                count -= sent
                if sent < size {
                    segments[0] = .file(file, offset: offset + sent, count: size - sent)
                } else {
                    file.close()
                    segments.removeFirst()
                }
            }
        }
        return true
    }

    /// Gives everything up. Owners go to `releases`.
    public mutating func discard(releasing releases: inout [UnsafeMutableRawPointer]) {
        for segment in segments {
            switch segment {
            case .bytes(_, _, let owner): if let owner { releases.append(owner) }
            case .file(let file, _, _): file.close()
            }
        }
        segments.removeAll()
        count = 0
    }
}
