internal import Platform
internal import Synchronization

/// A held request's body on its way to a file, in which it can travel. The request may run meanwhile: the body stays
/// where it is, too.
final class BodyCopy: DiskJob, @unchecked Sendable {
    // `@unchecked`: nobody changes the bytes of a body; the rest is written before `state` says so, and read after it.

    /// Which of its connection's requests it is for.
    let request: Int
    /// Nil once it was let go.
    private(set) var file: SpoolFile?
    private(set) var fault: SpoolFault?
    /// Until it is done.
    private var store: ByteStore?
    private let spool: Spool
    private let state = Atomic<UInt8>(State.underWay)

    private enum State {
        static let underWay: UInt8 = 0
        static let done: UInt8 = 1
        /// Its request is over, and nobody wants the file.
        static let abandoned: UInt8 = 2
    }

    init(_ store: ByteStore, for request: Int, in spool: Spool) {
        self.store = store
        self.request = request
        self.spool = spool
        file = SpoolFile(in: spool)
    }

    var isDone: Bool { state.load(ordering: .acquiring) == State.done }

    /// Its request is over. The file goes as soon as the disk's thread has it no more.
    ///
    /// - Returns: false where that is so already: then it goes with this object.
    func abandon() -> Bool {
        state.compareExchange(
            expected: State.underWay, desired: State.abandoned, ordering: .acquiringAndReleasing
        ).exchanged
    }

    func run() {
        if state.load(ordering: .relaxed) != State.abandoned {
            do throws(SpoolFault) {
                if let store { try file?.write(store.bytes) }
            } catch {
                fault = error
            }
        }
        store = nil
        let (isWanted, _) = state.compareExchange(
            expected: State.underWay, desired: State.done, ordering: .acquiringAndReleasing)
        if !isWanted {
            file = nil
            state.store(State.done, ordering: .releasing)
        }
        spool.announce()
    }
}
