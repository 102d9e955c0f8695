/// First in, first out, without moving what waits.
struct Queue<Element> {
    private var items: [Element?] = []
    private var head = 0

    var isEmpty: Bool { head == items.count }
    var count: Int { items.count - head }
    var first: Element? { head < items.count ? items[head] : nil }

    mutating func append(_ item: Element) {
        items.append(item)
    }

    /// Puts one before those at the end that are to come after it: nearly always there are none.
    mutating func insert(_ item: Element, before isLater: (Element) -> Bool) {
        var place = items.count
        while place > head, let other = items[place - 1], isLater(other) { place -= 1 }
        items.insert(item, at: place)
    }

    /// The first ones, as they wait.
    func prefix(_ count: Int) -> some Sequence<Element> {
        items[head...].prefix(count).lazy.compactMap(\.self)
    }

    /// Drops the others.
    mutating func keep(where isKept: (Element) -> Bool) {
        items = items[head...].filter { $0.map(isKept) ?? false }
        head = 0
    }

    mutating func popFirst() -> Element? {
        guard head < items.count else { return nil }
        defer {
            items[head] = nil
            head += 1
            if head == items.count {
                items.removeAll(keepingCapacity: true)
                head = 0
            } else if head > 1024, head * 2 > items.count {
                // A queue that never runs empty must not keep its past.
                items.removeFirst(head)
                head = 0
            }
        }
        return items[head]
    }
}
