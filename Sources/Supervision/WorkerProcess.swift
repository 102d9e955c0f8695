/// One forked worker, as the master knows it.
public struct WorkerProcess: Equatable, Sendable {
    /// How far the master has gone in asking this worker to leave. The order is that of the asking: a worker that was
    /// told to quit is never told to terminate gracefully afterwards.
    public enum State: Int, Comparable, Sendable {
        /// Nothing was asked: it boots or it serves.
        case running
        /// Asked to finish what it has begun (SIGTERM).
        case terminating
        /// Asked to leave at once (SIGQUIT).
        case quitting
        /// Sent SIGKILL; only its remains are to be collected.
        case killed

        public static func < (left: State, right: State) -> Bool { left.rawValue < right.rawValue }
    }

    /// The process id, unique among living workers.
    public let pid: Int32
    /// Which spawn of this master it is, counted from 1. Smaller is older; numbers are never used twice.
    public let age: Int
    /// When it was forked, in nanoseconds of the monotonic clock.
    public let spawnedAt: UInt64
    /// What it was asked to do last.
    public internal(set) var state: State

    public init(pid: Int32, age: Int, spawnedAt: UInt64, state: State = .running) {
        self.pid = pid
        self.age = age
        self.spawnedAt = spawnedAt
        self.state = state
    }
}

/// How a worker ended, in the terms that supervision decides on (`wait(2)`).
public enum WorkerExit: Equatable, Sendable {
    /// It called `exit` with this status, 0 to 255.
    case exited(code: Int32)
    /// The signal with this number ended it.
    case signaled(Int32)
}

/// What a worker can be told to do.
public enum WorkerSignal: Equatable, Sendable {
    /// Finish the requests that were begun, then leave: SIGTERM.
    case terminate
    /// Leave now: SIGQUIT.
    case quit
    /// Nothing is asked any more: SIGKILL.
    case kill
}
