internal import Synchronization

/// Something that may have to wait for a disk.
public protocol DiskJob: AnyObject, Sendable {
    /// Called once, on the disk's thread.
    func run()
}

/// A thread that waits for a disk, so that nobody else has to. Jobs run one after the other, in the order in which they
/// came. It starts with the first of them: a worker that never needs it has none, and none is made before a fork.
///
/// How many jobs wait is for their owners to bound.
public final class DiskThread: Sendable {
    private let shared = Shared()

    public init() {}

    /// Has a job run. Any thread.
    ///
    /// In a process that was forked from this one the thread does not exist, and a lock of it may be held for ever:
    /// there the job runs on the spot, as it does where the system gives no thread, and after the end.
    public func submit(_ job: any DiskJob) {
        if Process.isFork { return job.run() }
        shared.pending.wrappingAdd(1, ordering: .relaxed)
        let (isOver, mustStart) = shared.state.withLock { state in
            if state.isStopping { return (true, false) }
            state.jobs.append(job)
            defer { state.isStarted = true }
            return (false, !state.isStarted)
        }
        if isOver { return shared.run(job) }
        guard mustStart else { return shared.wake() }
        let shared = shared
        do throws(SystemError) {
            try Thread.start(name: "disk") { shared.runAll() }
        } catch {
            let jobs = shared.state.withLock { state in
                state.isStarted = false
                return state.takeAll()
            }
            for job in jobs { shared.run(job) }
        }
    }

    /// Whether nothing waits, and nothing is being done. True where the thread has not started.
    public var isIdle: Bool { shared.pending.load(ordering: .relaxed) == 0 }

    /// Whether another job waits behind the one that asks.
    public var isAwaited: Bool { shared.pending.load(ordering: .relaxed) > 1 }

    /// Ends the thread after all that was submitted, and waits for that.
    public func stop() {
        let isStarted = shared.state.withLock { state in
            state.isStopping = true
            return state.isStarted
        }
        guard isStarted, !Process.isFork else { return }
        shared.wake()
        while shared.hasEnded.load(ordering: .acquiring) == 0 { Futex.wait(shared.hasEnded, while: 0) }
    }

    private struct State {
        var jobs: [any DiskJob] = []
        var isStarted = false
        var isStopping = false

        mutating func takeAll() -> [any DiskJob] {
            defer { jobs.removeAll(keepingCapacity: true) }
            return jobs
        }
    }

    /// What the thread has: it may outlive the object by a moment.
    private final class Shared: Sendable {
        let state = Lock(State())
        /// Changes whenever there is news.
        let news = Atomic<UInt32>(0)
        let hasEnded = Atomic<UInt32>(0)
        /// Jobs that are not done.
        let pending = Atomic<Int>(0)

        func wake() {
            news.wrappingAdd(1, ordering: .releasing)
            Futex.wake(news)
        }

        func run(_ job: any DiskJob) {
            job.run()
            pending.wrappingSubtract(1, ordering: .relaxed)
        }

        func runAll() {
            while true {
                // Read before the list is: what comes behind that look ends the sleep.
                let before = news.load(ordering: .acquiring)
                let (jobs, isStopping) = state.withLock { ($0.takeAll(), $0.isStopping) }
                for (number, job) in jobs.enumerated() {
                    // A job uses the CPU for as long as a request or more: where others wait for this CPU, they are
                    // next.
                    if number > 0 { Thread.yield() }
                    run(job)
                }
                if !jobs.isEmpty { continue }
                if isStopping { break }
                Futex.wait(news, while: before)
            }
            hasEnded.store(1, ordering: .releasing)
            Futex.wake(hasEnded, count: .max)
        }
    }
}
