/// Which worker becomes what the next ones are forked from, so that these begin warm (`refork_after`).
///
/// ```
///             offers          enough others serve             it says so
///   serving ─────────► chosen ───────────────────► promoted ─────────────► no worker any more
///                                                      │                     all others are replaced, by forks of it
///                                                      └──── it ends: another one may be chosen
/// ```
extension Supervisor {
    /// Chooses one of the workers that offer it: one at a time, and none while a reload has to prove itself.
    mutating func chooseMold() {
        guard roster.candidate == nil, !table.workers.contains(where: \.isChosen),
            let worker = table.workers.first(where: { $0.offersMold && roster.isFresh($0) })
        else { return }
        table.update(worker.pid) {
            $0.isChosen = true
            // It is replaced first, as any other that leaves.
            $0.wantsToLeave = true
        }
    }

    /// Whether a worker that leaves now is to become one. Code that is about to be replaced has no use for it.
    func isToBeMold(_ pid: Int32) -> Bool {
        guard let worker = table[pid], worker.isChosen else { return false }
        return worker.generation == roster.current.number && roster.candidate == nil
    }

    /// Those that were forked before it are colder, and do not share its memory.
    mutating func noteMold(_ pid: Int32) -> WorkerProcess? {
        // The message comes from a worker, and an application there can write anything.
        guard let worker = table[pid], worker.isChosen, worker.state > .running else { return nil }
        _ = table.remove(pid: pid)
        guard isServing, worker.generation == roster.current.number else { return worker }
        for other in table.workers where other.generation == worker.generation {
            table.update(other.pid) { $0.wantsToLeave = true }
        }
        return worker
    }
}
