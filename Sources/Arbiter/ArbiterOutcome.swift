public import Platform
internal import Supervision

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
    /// The number of the configuration that it serves with.
    public let generation: Int
    /// The master's process id. When `Process.parentID` differs, the master is gone.
    public let parentID: ProcessID
    /// The listening sockets, shared with the master and all other workers. Close them; leave their files to the
    /// master.
    public let listeners: [ListeningSocket]
    /// Sockets that this worker alone has, with the shared ones that they stand beside (`reuse_port`).
    public internal(set) var ownListeners: [OwnListener] = []
    /// Where it answers the operator; nil where that is not asked for.
    public let admin: ListeningSocket?
    /// What it shares with the other workers, and its cell on the scoreboard; nil where the system gave nothing, or no
    /// cell is free.
    public let shared: (means: SharedMeans, cell: Int)?
    /// Where it tells which files its code comes from (python/monoceros/reloader.py); nil where nobody watches them.
    public let reports: Descriptor?
    /// Where the master listens.
    let channel: MessageChannel
    /// Where it says who is to become a mold.
    let desk: MoldDesk?

    /// Tells the master that the next workers could be forked from this one (`Arbiter.becomeMold`).
    public func offerMold() {
        channel.send(WorkerMessage(.offersMold, pid: Process.id).bytes)
    }

    /// Whether the master wants that: when this worker has finished.
    public var isPromoted: Bool { desk?.isPromoted(Process.id) ?? false }

    /// Tells the master that requests are answered from now on.
    public func reportReady() {
        channel.send(WorkerMessage(.ready, pid: Process.id).bytes)
    }

    /// Tells the master that this worker hangs: it says where, and ends it.
    ///
    /// - Parameter reason: for the log.
    public func reportHang(_ reason: String) {
        channel.send(WorkerMessage(.hangs, pid: Process.id, payload: Array(reason.utf8.prefix(1000))).bytes)
    }

    /// Tells the master that this worker wants to be replaced. Go on until it says TERM.
    ///
    /// - Parameter reason: for the log.
    public func requestReplacement(_ reason: String) {
        channel.send(WorkerMessage(.wantsToLeave, pid: Process.id, payload: Array(reason.utf8.prefix(1000))).bytes)
    }

    /// Asks the master to do what a signal does, in place of sending it: a worker that changed its user may not.
    public func order(_ signal: Signal) {
        channel.send(WorkerMessage(.order, pid: Process.id, payload: [UInt8(clamping: signal.rawValue)]).bytes)
    }

    /// Has the kernel send this process SIGTERM when the master ends. To be said again after the user or group changed,
    /// which makes the kernel forget it.
    ///
    /// SIGTERM, because the master's death is not the clients' fault: requests that were begun are finished, and the
    /// listening sockets are closed at once, which frees the address for the next master. A worker that still boots has
    /// the default action and ends on the spot, without the core dump that SIGQUIT would leave. There is no master to
    /// insist, so a worker that drains must put a limit to it by itself.
    ///
    /// - Returns: false when the master is gone already.
    /// - Throws: `SystemError`; the parent's id is there to look at in any case.
    public func followMaster() throws(SystemError) -> Bool {
        try Process.requestSignalOnParentDeath(.terminate, parent: parentID)
    }
}
