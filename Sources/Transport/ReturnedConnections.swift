internal import Platform
internal import Synchronization

/// Connections that come back from another thread to whoever has the baton.
final class ReturnedConnections: Sendable {
    private let items = Lock<[SendableConnection]>([])
    private let isAny = Atomic<Bool>(false)

    func put(_ connection: SendableConnection) {
        items.withLock { $0.append(connection) }
        isAny.store(true, ordering: .releasing)
    }

    /// Whether nothing came, as nearly always.
    @inline(__always)
    var isEmpty: Bool { !isAny.load(ordering: .acquiring) }

    /// All that came.
    @inline(__always)
    func takeAll() -> [SendableConnection] { isAny.load(ordering: .acquiring) ? takeSome() : [] }

    private func takeSome() -> [SendableConnection] {
        items.withLock { items in
            isAny.store(false, ordering: .releasing)
            defer { items.removeAll(keepingCapacity: true) }
            return items
        }
    }
}
