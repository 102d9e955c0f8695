/// The workers that were forked and not yet reaped, oldest first.
///
/// An array, not a dictionary: there are tens of workers, and most questions are about their order of age.
public struct ProcessTable: Equatable, Sendable {
    public private(set) var workers: [WorkerProcess] = []

    public init() {}

    public var count: Int { workers.count }
    public var isEmpty: Bool { workers.isEmpty }

    /// Process ids, oldest worker first.
    public var pids: [Int32] { workers.map(\.pid) }

    /// The worker with this process id, or nil when it is none of ours.
    public subscript(pid: Int32) -> WorkerProcess? { workers.first { $0.pid == pid } }

    /// Enters a new worker. It must be younger than all others and its process id must be free, which the kernel and
    /// the spawn counter see to.
    mutating func insert(_ worker: WorkerProcess) {
        precondition(self[worker.pid] == nil, "process id entered twice")
        precondition(workers.last.map { $0.age < worker.age } ?? true, "workers enter in order of age")
        workers.append(worker)
    }

    /// Takes a reaped worker out and returns it; nil when the process was none of ours (a master that is process 1 also
    /// inherits strangers).
    mutating func remove(pid: Int32) -> WorkerProcess? {
        guard let index = workers.firstIndex(where: { $0.pid == pid }) else { return nil }
        return workers.remove(at: index)
    }

    /// Changes the entry of a worker and returns it; nil when there is none.
    @discardableResult
    mutating func update(_ pid: Int32, _ change: (inout WorkerProcess) -> Void) -> WorkerProcess? {
        guard let index = workers.firstIndex(where: { $0.pid == pid }) else { return nil }
        change(&workers[index])
        return workers[index]
    }

    /// Moves the workers that `chosen` picks, and that have not come so far, to `state`.
    ///
    /// - Returns: the process ids of those it moved, oldest first.
    mutating func advance(
        to state: WorkerProcess.State, at now: UInt64, where chosen: (WorkerProcess) -> Bool = { _ in true }
    ) -> [Int32] {
        var moved: [Int32] = []
        for index in workers.indices where workers[index].state < state && chosen(workers[index]) {
            workers[index].state = state
            workers[index].askedAt = now
            moved.append(workers[index].pid)
        }
        return moved
    }
}
