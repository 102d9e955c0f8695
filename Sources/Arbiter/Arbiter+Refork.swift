internal import Platform
internal import Supervision
internal import Telemetry

/// A worker that is warm becomes the mold of its configuration (`--refork-after`): it finishes what it has begun, its
/// connections go to others, and from then on new workers are forked from it.
extension Arbiter {
    /// Tells a worker to.
    func promote(_ pid: ProcessID) {
        desk?.promote(pid)
        host.log(.debug, "Worker (pid:\(pid)) is to become the process that workers are forked from")
        send(.terminate, to: pid)
    }

    /// A worker has become a mold.
    func noteRefork(_ pid: ProcessID) {
        guard let worker = supervisor.receive(.workerBecameMold(pid: pid), at: Clock.now()) else { return }
        cells?.retire(pid, .recycled)
        tell(.workerBecameMold(pid: pid))
        guard supervisor.isServing, worker.generation == supervisor.generation else {
            // Its code was replaced meanwhile, or the server stops.
            let mold = Mold(pid: pid, isReady: true, deadline: nil)
            mold.end()
            endedMolds.insert(pid)
            return
        }
        host.log(.info, "Worker (pid:\(pid)) is warm: from now on workers are forked from it.")
        endMold(worker.generation)
        molds[worker.generation] = Mold(pid: pid, isReady: true, deadline: nil)
    }

    // MARK: In the worker

    /// Makes this process, a worker that has finished and has one thread, the one that workers are forked from. Returns
    /// in each of these.
    public func becomeMold(_ seat: WorkerSeat) -> ArbiterOutcome {
        if let isThere = try? Process.requestSignalOnParentDeath(.kill, parent: processID), !isThere {
            Process.exitImmediately(0)
        }
        Process.setTitle("monoceros: mold [\(generations[seat.generation]?.configuration.processName ?? "")]")
        return .worker(serveOrders(seat.generation, seat.channel, saying: .becameMold))
    }
}
