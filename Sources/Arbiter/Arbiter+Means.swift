internal import Platform
internal import Supervision
internal import Telemetry

/// What the workers share, and what the master learns from it.
extension Arbiter {
    /// Before the first fork. Without it every worker is a server of its own, which is no reason not to serve.
    func makeMeans(_ configuration: ArbiterConfiguration) {
        let terms = configuration.terms
        do throws(SystemError) {
            // Reloads may ask for more workers than there are now, and TTIN may.
            let means = try SharedMeans(
                workers: 2 * (terms.workers + terms.step) + Self.spareCells, runners: configuration.runners,
                hasStackPorts: configuration.hasStackPorts)
            self.means = means
            cells = Cells(means)
        } catch {
            host.log(.warning, "The workers cannot share their connections: \(error)")
        }
    }

    /// Workers that are shown beyond those that a reload needs.
    static let spareCells = 6

    /// A cell for a worker that is about to be forked; nil when all are taken, which the log hears of: their number was
    /// decided when the server started.
    func assignCell(generation: Int) -> Int? {
        if let cell = cells?.assign(generation: generation) {
            isShortOfCells = false
            return cell
        }
        if cells != nil, !isShortOfCells {
            host.log(
                .warning,
                "More workers than the server was started for: those that are too many share no connections, and the operator is not told of them. Start it anew, or upgrade it (USR2), to have room."
            )
        }
        isShortOfCells = cells != nil
        return nil
    }

    /// When workers are looked after next; nil where nobody asked for it.
    var lookDeadline: Nanoseconds? {
        supervisor.isServing && !supervisor.table.isEmpty && current.configuration.silenceTimeout != nil
            ? nextLook : nil
    }

    /// Finds workers that give no sign of life, and tells all of them what the server is up to.
    func lookAfterWorkers() {
        // A server that stops has nobody who would take a connection.
        cells?.tell(wanted: supervisor.isServing ? supervisor.wanted : 0, generation: supervisor.generation)
        let now = Clock.now()
        guard now >= nextLook, cells != nil else { return }
        nextLook = now + Cells.lookInterval
        let silent = cells?.silent(among: supervisor.table.workers, at: now) {
            generations[$0.generation]?.configuration.silenceTimeout
        }
        for pid in silent ?? [] {
            guard supervisor.receive(.workerSilent(pid: pid), at: now) != nil else { continue }
            let state = Process.isStopped(pid) ? ", since it is stopped (by SIGSTOP, or a debugger)" : ""
            host.log(
                .critical, "WORKER TIMEOUT (pid:\(pid)): it gives no sign of life\(state)\(requestsUnderWay(in: pid))")
        }
    }

    /// When each worker that serves gave its last sign of life. One without a cell is believed.
    var signsOfLife: [Nanoseconds] {
        supervisor.table.workers.filter(\.isServing).map { cells?.lastSign(of: $0.pid) ?? Clock.now() }
    }

    /// Why a worker ended, for the count of ends.
    func end(of worker: WorkerProcess, _ status: ExitStatus) -> WorkerEnd {
        switch status {
        case _ where worker.state == .aborting || worker.state == .killed: .timedOut
        case _ where !worker.isReady: .failedToBoot
        case _ where worker.state == .running && cells?.hasTimedOut(worker.pid) == true: .timedOut
        case _ where worker.wantsToLeave: .recycled
        case _ where worker.state > .running || !supervisor.isServing: .asked
        case .exited: .exited
        case .signaled: .killed
        }
    }
}
