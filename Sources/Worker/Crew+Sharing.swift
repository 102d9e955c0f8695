internal import Platform
internal import Scheduling
internal import Telemetry
internal import Transport
internal import WSGI

/// What the threads of a worker do for, and by means of, the other workers of the server.
extension Crew {
    /// Tells the others how many runners wait here. Before each poll.
    func announce(_ baton: borrowing Baton) {
        let busy = gauges.count { $0.isBusy }
        reactor.announce(
            runners: gauges.count, busy: busy, waiting: gauges.count - busy, isLeaving: lifetime.isLeaving, baton)
    }

    /// Before connections are left to others: nobody but the master tells which of them are there.
    func askForMaster() {
        if isOrphan { commons?.cell.noteMasterIsGone() }
    }

    /// The worker ends without another poll: nobody leaves anything to it. Any thread.
    func announceEnd() { commons?.cell.setPresence(ScoreboardPresence(lifetime: .leaving)) }

    /// A runner is about to begin a request: what waits behind it may be for others.
    @inline(__always)
    func share(_ baton: borrowing Baton) {
        if reactor.mayShare(baton) { shareNow(baton) }
    }

    private func shareNow(_ baton: borrowing Baton) {
        let busy = gauges.count { $0.isBusy }
        // The asking thread is not busy yet, and not free any more.
        reactor.share(free: max(0, gauges.count - busy - 1), isStalled: false, baton)
    }

    /// The pilot has the baton, and no runner wants it: all of them are in requests that take their time.
    func shareStalled(_ baton: borrowing Baton) {
        guard commons != nil, reactor.hasHeldRequests(baton) else { return }
        let busy = gauges.count { $0.isBusy }
        reactor.share(free: gauges.count - busy, isStalled: true, baton)
    }
}

/// What the gateway asks about the worker's end.
final class Outlook: WorkerOutlook {
    private let lifetime: SharedLifetime
    private let commons: Commons?

    init(_ lifetime: SharedLifetime, _ commons: Commons?) {
        self.lifetime = lifetime
        self.commons = commons
    }

    /// A worker that leaves its connections to others closes none.
    var isLeaving: Bool {
        guard lifetime.isLeaving else { return false }
        guard let commons, case .draining = lifetime.current else { return true }
        return !commons.areOthersServing
    }

    var isQuitting: Bool { lifetime.isQuitting }
}
