internal import Synchronization

/// What no runner has.
extension ScoreboardReader {
    /// A worker's list; nil when it could not be read.
    func list(_ list: ScoreboardWords) -> (rows: [ExchangeSnapshot], waiting: Int, responses: Int)? {
        for _ in 0..<Self.tries {
            let before = list.loadAcquiring(ListWord.sequence)
            guard before & 1 == 0 else { continue }
            let count = min(list.load(ListWord.rowCount), UInt64(ListWord.rowLimit))
            let rows = (0..<Int(count)).map { row in
                Slot(list.from(ListWord.rows + row * SlotWord.stride)).exchange(in: nil)
            }
            let (waiting, responses) = (list.load(ListWord.waiting), list.load(ListWord.responses))
            atomicMemoryFence(ordering: .acquiring)
            if list.load(ListWord.sequence) == before {
                return (rows, Int(truncatingIfNeeded: waiting), Int(truncatingIfNeeded: responses))
            }
        }
        return nil
    }

    /// Requests that were posted and that nobody has adopted yet.
    ///
    /// The relay is first in, first out, and the kernel tells how many bytes are in it: so what is in it are the
    /// newest of what all workers posted, up to that many bytes. No worker has to take note of what it adopts.
    ///
    /// - Returns: the oldest first, and how many more there are, about: those whose rows newer ones took.
    func relayed(byteCount: Int) -> (rows: [ExchangeSnapshot], unlisted: Int) {
        guard byteCount > 0 else { return ([], 0) }
        var posted: [Slot] = []
        for index in 0..<layout.cellCount {
            let list = words.from(layout.cell(index) + layout.listStart)
            let count = min(list.loadAcquiring(ListWord.posted), UInt64(ListWord.postedLimit))
            for place in 0..<Int(count) {
                let row = list.from(ListWord.postedRows + place * SlotWord.stride)
                let before = row.loadAcquiring(SlotWord.sequence)
                let slot = Slot(row)
                atomicMemoryFence(ordering: .acquiring)
                guard before & 1 == 0, row.load(SlotWord.sequence) == before, slot.messageSize > 0 else { continue }
                posted.append(slot)
            }
        }
        posted.sort { $0.phaseBegan > $1.phaseBegan }
        var left = byteCount
        let inside = posted.prefix { slot in
            defer { left -= slot.messageSize }
            return left > 0
        }
        let unlisted = left > 0 && !inside.isEmpty ? max(1, left * inside.count / max(1, byteCount - left)) : 0
        return (inside.reversed().filter { $0.phase != .none }.map { $0.exchange(in: nil) }, unlisted)
    }
}
