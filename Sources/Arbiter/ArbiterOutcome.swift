public import Platform

/// How `Arbiter.run()` returns: once in the master, and once in every worker.
///
/// A worker is a fork of the master, so it returns from the same call. Its stack unwinds to the composition root, which
/// runs the worker there and leaves through Python's own exit, as a program that was never a master.
public enum ArbiterOutcome {
    /// In the master: everything is closed and reaped, leave with this status.
    case exit(Int32)
    /// In a forked child: serve.
    case worker(WorkerSeat)
}

/// What a worker gets from its master.
public struct WorkerSeat: Sendable {
    /// The master's process id. When `Process.parentID` differs, the master is gone.
    public let parentID: ProcessID
    /// The listening sockets, shared with the master and all other workers. Close them; leave their files to the
    /// master.
    public let listeners: [ListeningSocket]
}
