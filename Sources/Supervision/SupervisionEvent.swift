/// What happened, as the master tells it to the policy.
public enum SupervisionEvent: Equatable, Sendable {
    /// A `spawn` was carried out.
    case workerSpawned(pid: Int32, age: Int, generation: Int)
    /// A `spawn` could not be carried out: `fork` failed.
    case spawnFailed
    /// A worker says that it serves.
    case workerReady(pid: Int32)
    /// A worker says that it wants to be replaced.
    case workerWantsToLeave(pid: Int32)
    /// A worker says that it is warm: the next workers could be forked from it.
    case workerOffersMold(pid: Int32)
    /// A worker that was promoted is no worker any more, and others can be forked from it.
    case workerBecameMold(pid: Int32)
    /// A worker that serves has given no sign of life for too long.
    case workerSilent(pid: Int32)
    /// A worker says that nobody can be told anything in it any more.
    case workerHangs(pid: Int32)
    /// The application of the configuration in force could not be loaded, and there is no worker.
    case preloadFailed(HaltReason)
    /// A child was reaped.
    case workerExited(pid: Int32, WorkerExit)
    /// There is a new configuration, with a number that is greater than all before it.
    case reload(generation: Int, Terms)
    /// So many workers more, or less; one at least is left.
    case changeWorkers(by: Int)
    /// So many workers, until the next reload.
    case setWorkers(Int)
    /// Stop, and let workers finish what they have begun.
    case stopGracefully
    /// Stop now.
    case stopQuickly
    /// The master itself cannot go on: stop with this exit status.
    case fail(exitCode: Int32)
}

/// What the master is to do next, in order.
public enum SupervisionAction: Equatable, Sendable {
    /// The new configuration has proved itself: it is the server's from now on.
    case adopt(generation: Int)
    /// The new configuration is given up, and the old one stays.
    case abandon(generation: Int, AbandonReason)
    /// No worker of this generation takes connections any more: close the listening sockets that only it has.
    case retire(generation: Int)
    /// A worker of the configuration in force failed to boot, and none is forked in its place before the next reload.
    case awaitMending(HaltReason)
    /// Every worker that serves is of this generation: the reload is done.
    case rolledOut(generation: Int)
    /// Close the listening sockets, so that the kernel refuses what no worker would accept any more.
    case closeListeners
    /// Have a worker finish what it has begun, and then become what the next workers are forked from.
    case promote(pid: Int32)
    /// Send a worker a signal. That it is gone already is no error: it will be reaped.
    case signal(pid: Int32, WorkerSignal)
    /// Fork a worker with this number and this configuration, then report `workerSpawned` or `spawnFailed`.
    case spawn(age: Int, generation: Int)
    /// Leave with this exit status. `abandoned` lists workers that even SIGKILL did not end in time.
    case finish(exitCode: Int32, reason: HaltReason?, abandoned: [Int32])
}

/// Why a reload came to nothing.
public enum AbandonReason: Equatable, Sendable {
    /// Its first worker ended before it served.
    case bootFailed(WorkerExit)
    /// Its first worker did not serve in time.
    case bootTimedOut
    /// Another reload came before it had proved itself.
    case superseded
}
