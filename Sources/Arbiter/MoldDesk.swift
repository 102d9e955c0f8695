internal import Platform
internal import Synchronization

/// Where the arbiter orders workers from molds, and says which worker is to become one: a page of memory that all
/// processes of a server share.
///
/// There are no descriptors in it, so that any process can become a mold, however it was forked. One order is under way
/// at a time. What a mold that was killed leaves behind is an order without an answer, and the next one has another
/// number.
struct MoldDesk: Sendable {
    private let memory: SharedMapping

    private enum Word: Int {
        /// Counts orders, and is what molds sleep on; written last.
        case order
        /// Whose the order is: a process id.
        case mold
        case age
        /// One more than the cell; 0 for none.
        case cell
        /// The number of the order for which the mold runs a hook of the user's, which may take its time; 0 for none.
        case hook
        /// The number of the order that is answered, and what the arbiter sleeps on; written last.
        case answer
        /// The worker's process id; 0 where none could be made.
        case worker
        /// The worker that is to become a mold when it has finished: a process id.
        case promoted
    }

    /// - Throws: `SystemError` when the system has no memory to give.
    init() throws(SystemError) {
        memory = try SharedMapping(byteCount: 8 * MemoryLayout<UInt32>.size)
    }

    /// Within the page; `Atomic` has the layout of what it holds.
    private func word(_ word: Word) -> UnsafeMutablePointer<Atomic<UInt32>> {
        memory.base.assumingMemoryBound(to: Atomic<UInt32>.self) + word.rawValue
    }

    private func load(_ word: Word) -> UInt32 { self.word(word).pointee.load(ordering: .acquiring) }
    private func store(_ word: Word, _ value: UInt32) { self.word(word).pointee.store(value, ordering: .releasing) }

    // MARK: The arbiter's side

    /// What came of an order.
    enum Answer: Equatable {
        case worker(ProcessID)
        /// None could be made.
        case none
        /// The mold has not said.
        case silence
    }

    /// Orders a worker and waits for it.
    ///
    /// - Parameters:
    ///   - patience: for as many nanoseconds at most, beside the time in a hook of the user's.
    ///   - isRunning: whether the mold is there and not stopped. It is asked while it runs a hook.
    func order(
        _ order: Mold.Order, from mold: ProcessID, patience: Nanoseconds, isRunning: (ProcessID) -> Bool
    ) -> Answer {
        let number = load(.order) &+ 1
        store(.mold, UInt32(bitPattern: mold))
        store(.age, UInt32(truncatingIfNeeded: order.age))
        store(.cell, order.cell.map { UInt32(truncatingIfNeeded: $0 + 1) } ?? 0)
        store(.order, number)
        Futex.wakeShared(word(.order))
        var end = Clock.now() + patience
        while true {
            let answered = load(.answer)
            if answered == number { break }
            let now = Clock.now()
            if load(.hook) == number, isRunning(mold) { end = now + patience }
            guard now < end else { return .silence }
            Futex.waitShared(word(.answer), while: answered, timeout: min(end - now, Self.glance))
        }
        let worker = ProcessID(bitPattern: load(.worker))
        return worker > 0 ? .worker(worker) : .none
    }

    /// How often it is looked what the mold is at, in nanoseconds.
    private static let glance = Nanoseconds.milliseconds(500)

    /// A worker is to become a mold; it is told to leave besides.
    func promote(_ worker: ProcessID) { store(.promoted, UInt32(bitPattern: worker)) }

    // MARK: A mold's side

    /// How many orders there were: what comes after these is news.
    var orderCount: UInt32 { load(.order) }

    /// Waits for an order, for as many nanoseconds at most.
    ///
    /// - Parameter seen: the number of the last order that was looked at; changed to that of the next.
    /// - Returns: nil when there was none for this mold.
    func nextOrder(for mold: ProcessID, after seen: inout UInt32, timeout: Nanoseconds) -> Mold.Order? {
        if load(.order) == seen { Futex.waitShared(word(.order), while: seen, timeout: timeout) }
        let number = load(.order)
        guard number != seen else { return nil }
        seen = number
        guard load(.mold) == UInt32(bitPattern: mold) else { return nil }
        let cell = load(.cell)
        return Mold.Order(age: Int(load(.age)), cell: cell == 0 ? nil : Int(cell) - 1)
    }

    /// A hook of the user's is called for an order, and has returned.
    func beginHook(for order: UInt32) { store(.hook, order) }
    func endHook() { store(.hook, 0) }

    /// - Parameter worker: that was made; nil where none could be.
    func answer(_ order: UInt32, _ worker: ProcessID?) {
        store(.worker, worker.map { UInt32(bitPattern: $0) } ?? 0)
        store(.answer, order)
        Futex.wakeShared(word(.answer))
    }

    // MARK: A worker's side

    func isPromoted(_ worker: ProcessID) -> Bool { load(.promoted) == UInt32(bitPattern: worker) }
}
