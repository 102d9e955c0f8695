internal import Synchronization

/// Bytes of clients that a worker has in memory: what it counts them for, and how many there may be.
final class MemoryBudget: Sendable {
    /// What memory is used for.
    enum Use: CaseIterable, Sendable {
        /// Heads of which part has come, or whose body has not.
        case heads
        /// Bodies, whole or in part.
        case bodies
        /// What of responses waits for clients.
        case responses
    }

    /// Bytes (`buffer_memory`); nil for any number.
    let limit: Int?
    private let heads = Atomic<Int>(0)
    private let bodies = Atomic<Int>(0)
    private let responses = Atomic<Int>(0)

    init(limit: Int?) {
        self.limit = limit
    }

    /// Counts bytes that came, or that left where the number is negative. Any thread.
    @inline(__always)
    func change(_ use: Use, by bytes: Int) {
        switch use {
        case .heads: heads.wrappingAdd(bytes, ordering: .relaxed)
        case .bodies: bodies.wrappingAdd(bytes, ordering: .relaxed)
        case .responses: responses.wrappingAdd(bytes, ordering: .relaxed)
        }
    }

    func bytes(for use: Use) -> Int {
        switch use {
        case .heads: heads.load(ordering: .relaxed)
        case .bodies: bodies.load(ordering: .relaxed)
        case .responses: responses.load(ordering: .relaxed)
        }
    }

    var total: Int { bytes(for: .heads) + bytes(for: .bodies) + bytes(for: .responses) }

    /// Whether there may be so many bytes more.
    func hasRoom(for bytes: Int) -> Bool {
        guard let limit else { return true }
        return total + bytes <= limit
    }

    /// Whether there is more than there should be.
    var isExceeded: Bool {
        guard let limit else { return false }
        return total > limit
    }
}

/// What of the budget a connection has: changed to what it has by now, whenever that may have become more or less.
struct MemoryCharge {
    private(set) var heads = 0
    private(set) var bodies = 0

    var isEmpty: Bool { heads == 0 && bodies == 0 }

    mutating func change(heads newHeads: Int, bodies newBodies: Int, in budget: MemoryBudget) {
        if newHeads != heads { budget.change(.heads, by: newHeads - heads) }
        if newBodies != bodies { budget.change(.bodies, by: newBodies - bodies) }
        heads = newHeads
        bodies = newBodies
    }
}
