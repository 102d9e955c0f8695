/// What happened, as the master tells it to the policy.
public enum SupervisionEvent: Equatable, Sendable {
    /// A `spawn(age:)` was carried out.
    case workerSpawned(pid: Int32, age: Int)
    /// A `spawn(age:)` could not be carried out: `fork` failed.
    case spawnFailed
    /// A child was reaped.
    case workerExited(pid: Int32, WorkerExit)
    /// Stop, and let workers finish what they have begun.
    case stopGracefully
    /// Stop now.
    case stopQuickly
    /// The master itself cannot go on: stop with this exit status.
    case fail(exitCode: Int32)
}

/// What the master is to do next, in order.
public enum SupervisionAction: Equatable, Sendable {
    /// Fork a worker with this number, then report `workerSpawned` or `spawnFailed`.
    case spawn(age: Int)
    /// Close the listening sockets, so that the kernel refuses what no worker would accept any more.
    case closeListeners
    /// Send a worker a signal. That it is gone already is no error: it will be reaped.
    case signal(pid: Int32, WorkerSignal)
    /// Leave with this exit status. `abandoned` lists workers that even SIGKILL did not end in time.
    case finish(exitCode: Int32, reason: HaltReason?, abandoned: [Int32])
}
