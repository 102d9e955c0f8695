/// The states that were reached, each with a number: a hash table, made for millions of small states.
struct StateTable {
    private(set) var states: [ModelState] = []
    /// Numbers of states, -1 where there is none; their count is a power of two.
    private var slots: [Int32] = Array(repeating: -1, count: 1 << 16)

    /// The state's number, and whether it is new.
    mutating func insert(_ state: ModelState) -> (number: Int32, isNew: Bool) {
        if states.count * 2 > slots.count { grow() }
        let slot = slot(of: state)
        if slots[slot] >= 0 { return (slots[slot], false) }
        let number = Int32(states.count)
        slots[slot] = number
        states.append(state)
        return (number, true)
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: slots.count * 4)
        for number in states.indices { slots[slot(of: states[number])] = Int32(number) }
    }

    /// Where the state is, or is to be.
    private func slot(of state: ModelState) -> Int {
        var slot = Int(truncatingIfNeeded: state.hash) & (slots.count - 1)
        while slots[slot] >= 0, states[Int(slots[slot])] != state { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }
}
