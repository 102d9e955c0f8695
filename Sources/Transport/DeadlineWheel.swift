internal import Platform

/// Which connection has to be looked at when. A hashed timing wheel whose entries are only hints: whoever is looked at
/// says whether its deadline has really come, and is scheduled again if not. So moving a deadline further away, which
/// every request does, is a store in the connection and touches nothing here.
struct DeadlineWheel {
    /// A slot's width. Deadlines are met up to one slot late.
    static let slotWidth: Nanoseconds = .milliseconds(100)
    private static let slotCount: UInt64 = 1024

    private var slots = [[UInt64]](repeating: [], count: Int(slotCount))
    private var entryCount = 0
    /// The next slot to be looked at, counted from the clock's zero.
    private var cursor: UInt64

    init(now: Nanoseconds) {
        cursor = now / Self.slotWidth
    }

    /// The first slot that is over after a deadline.
    static func slot(of deadline: Nanoseconds) -> UInt64 { deadline / slotWidth &+ 1 }

    /// Notes an entry for its deadline and returns the slot, which names the note. A deadline beyond the wheel's span
    /// lands in its last slot, to be scheduled anew from there.
    mutating func schedule(_ entry: UInt64, at deadline: Nanoseconds) -> UInt64 {
        let slot = min(max(Self.slot(of: deadline), cursor), cursor &+ Self.slotCount &- 1)
        slots[Int(slot % Self.slotCount)].append(entry)
        entryCount += 1
        return slot
    }

    /// Takes out everything noted for slots that have passed, each entry with the slot that it was noted for.
    mutating func expire(now: Nanoseconds) -> [(entry: UInt64, slot: UInt64)] {
        let end = now / Self.slotWidth
        var due: [(entry: UInt64, slot: UInt64)] = []
        while cursor <= end, entryCount > 0 {
            let index = Int(cursor % Self.slotCount)
            if !slots[index].isEmpty {
                for entry in slots[index] { due.append((entry, cursor)) }
                entryCount -= slots[index].count
                slots[index].removeAll(keepingCapacity: slots[index].count < 256)
            }
            cursor += 1
        }
        if entryCount == 0 { cursor = max(cursor, end) }
        return due
    }

    /// When the first slot that holds anything is over; nil for an empty wheel.
    var next: Nanoseconds? {
        guard entryCount > 0 else { return nil }
        for distance in 0..<Self.slotCount where !slots[Int((cursor &+ distance) % Self.slotCount)].isEmpty {
            return (cursor &+ distance) &* Self.slotWidth
        }
        return nil
    }
}
