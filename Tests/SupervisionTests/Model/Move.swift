@testable import Supervision

/// One thing that can happen to a server. Workers are named by their place in the table, oldest first, so that two
/// servers that differ in process ids alone are one.
enum Move: Equatable {
    /// The master asks what to do and does it.
    case step
    /// The same, and the first fork fails.
    case stepWithoutFork
    /// Nothing happens until the policy wants to be asked again.
    case wait
    case ready(Int)
    case wantsToLeave(Int)
    case offersMold(Int)
    /// One that was promoted has become what the next are forked from.
    case becomesMold(Int)
    case dies(Int, WorkerExit)
    /// One that was told to leave does.
    case leaves(Int)
    case reload(workers: Int)
    case changeWorkers(by: Int)
    case stop(quickly: Bool)
}

/// How many of those things that nobody must do may happen in one run.
struct Budget: Hashable {
    var deaths = 0
    var wishes = 0
    var offers = 0
    var reloads = 0
    var changes = 0
    var stops = 0
    var failedForks = 0
    /// Timers that run out.
    var waits = 5
    /// Settings of the run.
    var workers = 2
    var step = 1
    var bootTimeout: UInt64?
    var awaitsMending = false

    func terms(workers: Int) -> Terms {
        Terms(
            workers: workers, step: step, gracefulTimeout: 30 * second, bootTimeout: bootTimeout,
            awaitsMending: awaitsMending)
    }
}
