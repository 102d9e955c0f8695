public import Platform

/// What happens in the master that others may want to know or to have a hand in.
public enum ArbiterEvent: Sendable {
    /// The number of workers was set; `old` is nil at the start.
    case workersChanged(new: Int, old: Int?)
    /// Before anything is bound.
    case starting
    /// Before the first fork, with all addresses bound.
    case ready
    /// The sockets of a configuration are bound.
    case listening(generation: Int, [ListeningSocket])
    /// A configuration was read again and its addresses are bound; no worker of it was forked yet.
    case reloading(generation: Int)
    /// A configuration is the server's from now on.
    case adopted(generation: Int)
    /// A configuration was given up.
    case abandoned(generation: Int)
    /// Go on in new log files.
    case reopenLogs
    /// Before a worker is forked.
    case willFork(age: Int, generation: Int)
    /// Before a worker is forked by the process that has loaded its application.
    case willOrder(age: Int, generation: Int)
    /// In that process, before it forks.
    case willForkFromMold(age: Int, generation: Int)
    /// Before the process is forked that is to load the application of a configuration.
    case willPreload(generation: Int)
    /// In the master, after that.
    case didForkMold
    /// In the master, after a worker was forked. Nil when it failed.
    case forked(pid: ProcessID?, age: Int, generation: Int)
    /// A worker was reaped. `didBoot` is false for one that could not.
    case workerExited(pid: ProcessID, didBoot: Bool)
    /// A worker serves nobody any more, and others are forked from it.
    case workerBecameMold(pid: ProcessID)
    /// A process that workers were forked from was reaped.
    case moldExited(pid: ProcessID)
    /// A new master was forked (USR2), or has ended: then nil.
    case successor(pid: ProcessID?)
    /// In the child that becomes the new master.
    case willExecute
    /// The master that started this one is gone.
    case promoted
    /// The last thing before the master leaves.
    case exiting
}

/// What came of telling an event.
public enum EventOutcome: Equatable, Sendable {
    case done
    /// So many workers shall there be.
    case workers(Int)
    /// Stop the server, with this exit status.
    case halt(Int32)
    /// Code of the user's raised an exception, which has been logged.
    case failed
}
