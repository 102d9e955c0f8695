/// What a configuration asks of the master for its workers.
public struct Terms: Equatable, Sendable {
    /// How many workers shall live; 0 or more.
    public var workers: Int
    /// How many more than `workers` may exist at once while some are replaced; 1 or more. Workers that were told to
    /// leave and still finish requests count, since they have their memory still.
    public var step: Int
    /// Nanoseconds that workers have to finish when they are told to leave.
    public var gracefulTimeout: UInt64
    /// Nanoseconds in which a worker must have said that it serves; nil for as long as it takes.
    public var bootTimeout: UInt64?
    /// Code that does not boot is no reason to stop: the server listens, and waits for the next reload (`--reload`).
    public var awaitsMending: Bool

    public init(
        workers: Int, step: Int = 1, gracefulTimeout: UInt64, bootTimeout: UInt64? = nil, awaitsMending: Bool = false
    ) {
        precondition(workers >= 0 && step >= 1)
        self.workers = workers
        self.step = step
        self.gracefulTimeout = gracefulTimeout
        self.bootTimeout = bootTimeout
        self.awaitsMending = awaitsMending
    }
}
