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
        /// Asked to say where it is and to leave (SIGABRT).
        case aborting
        /// Sent SIGKILL; only its remains are to be collected.
        case killed

        public static func < (left: State, right: State) -> Bool { left.rawValue < right.rawValue }
    }

    /// The process id, unique among living workers.
    public let pid: Int32
    /// Which spawn of this master it is, counted from 1. Smaller is older; numbers are never used twice.
    public let age: Int
    /// Which configuration it was forked with, counted from 1. Every reload makes a new one.
    public let generation: Int
    /// What that configuration asks of the master.
    public let terms: Terms
    /// When it was forked, in nanoseconds of the monotonic clock.
    public let spawnedAt: UInt64
    /// It has said that it serves. Until then it boots.
    public internal(set) var isReady = false
    /// It has said that it wants to be replaced. It serves until it is told to leave.
    public internal(set) var wantsToLeave = false
    /// It has said that it is warm: the next workers could be forked from it (`refork_after`).
    public internal(set) var offersMold = false
    /// It is to become what the next workers are forked from, as soon as enough others serve.
    public internal(set) var isChosen = false
    /// What it was asked to do last.
    public internal(set) var state = State.running
    /// When it was asked that; when it was forked, if nothing was asked.
    public internal(set) var askedAt: UInt64

    public init(pid: Int32, age: Int, generation: Int, terms: Terms, spawnedAt: UInt64) {
        self.pid = pid
        self.age = age
        self.generation = generation
        self.terms = terms
        self.spawnedAt = spawnedAt
        askedAt = spawnedAt
    }

    /// It answers requests, and nobody told it to stop.
    public var isServing: Bool { isReady && state == .running }
    /// It was forked, has not said that it serves, and nobody told it to stop.
    public var isBooting: Bool { !isReady && state == .running }
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
    /// Say where you are, and leave: SIGABRT.
    case abort
    /// Nothing is asked any more: SIGKILL.
    case kill
}
