internal import Platform
internal import PythonBridge
internal import Synchronization
internal import Telemetry
internal import Transport

/// How a worker comes to be what other workers are forked from (`refork_after`).
public struct ReforkTerms: Sendable {
    /// Requests after which it is warm.
    let requests: Int
    /// Tells the arbiter that it is.
    let offer: @Sendable () -> Void
    /// Whether the arbiter wants it to, once it has finished.
    public let isChosen: @Sendable () -> Bool

    public init(
        requests: Int, offer: @escaping @Sendable () -> Void, isChosen: @escaping @Sendable () -> Bool
    ) {
        self.requests = requests
        self.offer = offer
        self.isChosen = isChosen
    }
}

/// How far a worker is on its way to be one.
///
/// The pilot sees that it is warm; the main thread, which may run Python, finds out whether the application has threads
/// there, which would be gone in a fork, and tells the arbiter where it has none.
final class Refork: Sendable {
    private let terms: ReforkTerms
    /// What is left to do, and since when: the states of `State`.
    private let state = Atomic<UInt8>(State.cold)
    /// When it is looked for threads again.
    private let nextLook = Atomic<UInt64>(0)

    private enum State {
        static let cold: UInt8 = 0
        /// The main thread is to look.
        static let warm: UInt8 = 1
        static let offered: UInt8 = 2
    }

    /// Between two looks for threads that may have ended, in nanoseconds.
    private static let interval = Nanoseconds.seconds(60)

    init(_ terms: ReforkTerms) { self.terms = terms }

    /// For the pilot, about once a second.
    ///
    /// - Returns: whether the main thread has something to do.
    func look(served: () -> Int, at now: Nanoseconds) -> Bool {
        switch state.load(ordering: .relaxed) {
        case State.cold:
            guard now >= nextLook.load(ordering: .relaxed), served() >= terms.requests else { return false }
            state.store(State.warm, ordering: .relaxed)
            return true
        case State.warm: return true
        default: return false
        }
    }

    /// For the main thread, whenever it is between requests.
    ///
    /// - Parameter hasForeignThreads: whether threads run that are not the server's; it has said so.
    @inline(__always)
    func attend(hasForeignThreads: () -> Bool) {
        if state.load(ordering: .relaxed) == State.warm { offer(hasForeignThreads()) }
    }

    private func offer(_ hasForeignThreads: Bool) {
        if hasForeignThreads {
            nextLook.store(Clock.now() + Self.interval, ordering: .relaxed)
            state.store(State.cold, ordering: .relaxed)
        } else {
            state.store(State.offered, ordering: .relaxed)
            terms.offer()
        }
    }

    var isChosen: Bool { terms.isChosen() }
}

extension Crew {
    /// What the main thread does for it.
    func attendRefork(_ report: WorkerReport, _ gil: borrowing GIL) {
        guard let refork, !lifetime.isLeaving else { return }
        refork.attend { report.hasForeignThreads?(Thread.started, gil) ?? true }
    }

    /// What the pilot does for it.
    func lookAtRefork(at now: Nanoseconds) {
        guard let refork, let cell = commons?.cell, !lifetime.isLeaving else { return }
        if refork.look(served: { cell.requestCount }, at: now) { (attendance ?? reactor.signals).wake() }
    }
}

extension Worker {
    /// Whether this process is to go on as one that workers are forked from, now that `run` has returned.
    public var isChosen: Bool {
        !crew.lifetime.isQuitting && threadsLeftBehind == 0 && crew.refork?.isChosen ?? false
    }

    /// Ends the threads that outlive `run`. They may take a moment.
    public func endThreads() {
        crew.isKept.store(true, ordering: .releasing)
        crew.wakeThreads()
        crew.telemetry.accessLog?.stop()
        crew.reactor.stopDisk()
    }
}
