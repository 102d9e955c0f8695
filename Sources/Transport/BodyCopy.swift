internal import Platform
internal import Synchronization

/// A held request's body on its way to a file, in which it can travel. The request may run meanwhile: the body stays
/// where it is, too.
final class BodyCopy: DiskJob, @unchecked Sendable {
    // `@unchecked`: nobody changes the bytes of a body; the rest belongs to whom `state` says, and is written before
    // that says otherwise, and read after it.

    /// Which of its connection's requests it is for.
    let request: Int
    /// Nil once it was let go.
    private(set) var file: SpoolFile?
    private(set) var fault: SpoolFault?
    /// Until it is done.
    private var store: ByteStore?
    /// Bytes that are in memory for this copy alone, and counted with it.
    private let ownCount: Int
    /// Bytes that its request has, too. They are counted with that, and with this once that is over.
    private let lentCount: Int
    private let memory: MemoryBudget?
    private let spool: Spool
    private let state = Atomic<UInt8>(State.waiting)

    private enum State {
        /// The disk's thread has not come to it.
        static let waiting: UInt8 = 0
        static let underWay: UInt8 = 1
        static let done: UInt8 = 2
        /// Its request is over, and nobody wants the file.
        static let abandoned: UInt8 = 3
    }

    /// - Parameters:
    ///   - isOwn: nobody else has these bytes.
    ///   - memory: where they are counted.
    init(_ store: ByteStore, isOwn: Bool, for request: Int, in spool: Spool, memory: MemoryBudget?) {
        self.store = store
        self.request = request
        self.spool = spool
        self.memory = memory
        ownCount = isOwn ? store.footprint : 0
        lentCount = isOwn ? 0 : store.count
        file = SpoolFile(in: spool)
        memory?.change(.bodies, by: ownCount)
    }

    /// Whether the disk's thread is done with it.
    var isDone: Bool { state.load(ordering: .acquiring) == State.done }

    /// Its request is over. What it has of memory goes at once, unless it is being written just now; the file, as soon
    /// as the disk's thread has it no more.
    ///
    /// - Returns: false where the thread has it no more already: then it goes with this object.
    func abandon() -> Bool {
        if change(from: State.waiting, to: State.abandoned) {
            forgetBytes()
            file = nil
            return true
        }
        memory?.change(.bodies, by: lentCount)
        if change(from: State.underWay, to: State.abandoned) { return true }
        memory?.change(.bodies, by: -lentCount)
        // It may have been abandoned before, and still be with the disk's thread.
        return !isDone
    }

    func run() {
        if change(from: State.waiting, to: State.underWay) {
            do throws(SpoolFault) {
                if let store { try file?.write(store.bytes) }
            } catch {
                fault = error
            }
            forgetBytes()
            if !change(from: State.underWay, to: State.done) {
                memory?.change(.bodies, by: -lentCount)
                file = nil
                state.store(State.done, ordering: .releasing)
            }
        } else {
            state.store(State.done, ordering: .releasing)
        }
        spool.announce()
    }

    private func forgetBytes() {
        store = nil
        memory?.change(.bodies, by: -ownCount)
    }

    private func change(from expected: UInt8, to desired: UInt8) -> Bool {
        state.compareExchange(expected: expected, desired: desired, ordering: .acquiringAndReleasing).exchanged
    }
}
