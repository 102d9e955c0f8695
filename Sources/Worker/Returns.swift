internal import Platform
internal import Synchronization
internal import Telemetry
internal import Transport

/// Connections whose response is done, from runners that lost the baton meanwhile. The thread that has it takes them
/// back.
final class Returns: Sendable {
    struct Item: Sendable {
        let exchange: EndedExchange
        /// What `PromotionPolicy` learns from it.
        let kind: UInt32
        let outlastedTick: Bool
        /// What the scoreboard said of it, for the list of the slowest.
        let copy: ExchangeCopy?
        /// Nanoseconds that the application took.
        let duration: Nanoseconds
    }

    private let items = Lock<[Item]>([])
    private let waiting = Atomic<Bool>(false)

    func put(_ item: Item) {
        items.withLock { $0.append(item) }
        waiting.store(true, ordering: .releasing)
    }

    /// Whether nothing came, as nearly always.
    @inline(__always)
    var areNone: Bool { !waiting.load(ordering: .acquiring) }

    /// All that came.
    func takeAll() -> [Item] {
        items.withLock { items in
            waiting.store(false, ordering: .releasing)
            let all = items
            items.removeAll(keepingCapacity: true)
            return all
        }
    }
}
