internal import Synchronization

/// What the threads of a worker tell each other about its end.
public final class WorkerState: Sendable {
    /// No new requests: responses close their connections.
    private let draining = Atomic<Bool>(false)
    /// Leave now: a SystemExit in the application is ours.
    private let quitting = Atomic<Bool>(false)

    public init() {}

    public var isDraining: Bool { draining.load(ordering: .acquiring) }
    public var isQuitting: Bool { quitting.load(ordering: .acquiring) }

    public func drain() { draining.store(true, ordering: .releasing) }

    /// Quitting implies draining.
    public func quit() {
        drain()
        quitting.store(true, ordering: .releasing)
    }
}
