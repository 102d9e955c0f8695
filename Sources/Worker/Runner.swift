internal import Platform
internal import PythonBridge
internal import Scheduling
internal import Telemetry
internal import Transport
internal import WSGI

/// A thread that polls, parses and runs the application.
final class Runner {
    private let crew: Crew
    private let gateway: Gateway
    private let report: WorkerReport
    /// Python runs signal handlers on its main thread alone.
    private let isMain: Bool
    /// Whether there are others to give the baton to.
    private let isOneOfMany: Bool
    private let bench: Workbench
    let gauge: RunnerGauge
    /// The worker's cell of the scoreboard, a copy of its own: asking the crew for it costs as much as what is written.
    private let cell: ScoreboardCell?
    /// Its place there.
    private let slot: Int
    private var threadID: Int32 = 0

    init(
        crew: Crew, bench: Workbench, gateway: Gateway, gauge: RunnerGauge, slot: Int, report: WorkerReport,
        isMain: Bool
    ) {
        self.crew = crew
        self.gauge = gauge
        cell = crew.commons?.cell
        self.slot = slot
        self.gateway = gateway
        self.report = report
        self.isMain = isMain
        isOneOfMany = crew.configuration.runners > 1
        self.bench = bench
    }

    /// What became of the baton while requests were served.
    private enum Turn: ~Copyable {
        /// There is nothing more to do at the moment.
        case kept(Baton)
        /// The pilot took it while the application ran.
        case lost
        /// An exception that ends the worker is set.
        case failed
    }

    /// The thread's body: serves until the worker ends.
    ///
    /// - Returns: false when a signal handler raised: that exception is set.
    func run(_ python: inout PythonThread) -> Bool {
        threadID = Thread.currentID
        gauge.enter(python: PythonThread.identity, kernel: threadID)
        while true {
            python.detach()
            guard let baton = crew.handOver.take(timeout: Crew.nap) else {
                guard attend(&python) else { return false }
                let lifetime = crew.lifetime.current
                if lifetime.hasEnded || lifetime.isOverdue(at: Clock.now()) { return true }
                continue
            }
            switch drive(baton, &python) {
            case .kept(let baton):
                // In this order: the pilot takes an offer that nobody waits for, and then sees that it is over.
                crew.end()
                crew.reactor.tellOfUnsent(baton)
                crew.handOver.offer(baton)
                return true
            case .lost: continue
            case .failed: return false
            }
        }
    }

    /// Drives the reactor for as long as the baton stays here. `.kept` means that the worker is done.
    private func drive(_ taken: consuming Baton, _ python: inout PythonThread) -> Turn {
        var baton = taken
        crew.noteDriver(Thread.currentID, baton)
        if isOneOfMany { crew.lastRunner.tookOver(by: slot, at: Clock.now()) }
        // A signal may have ended the wait for the baton, as it ends a poll in which nothing happened.
        var owesAttendance = isMain
        while true {
            switch serveAll(baton, &python) {
            case .kept(let kept): baton = kept
            case .lost: return .lost
            case .failed: return .failed
            }
            if crew.reactor.takeSignals(baton) || owesAttendance {
                switch attend(lending: baton, &python) {
                case .kept(let kept): baton = kept
                case .lost: return .lost
                case .failed: return .failed
                }
            }
            // What others did before they woke this thread is looked at after `serveAll`, which drains the waker: a
            // wake-up that comes later is still there for the poll.
            crew.settleReturns(baton)
            let isDone = crew.isDone(baton)
            guard let kept = fetch(baton, &python) else { return .lost }
            baton = kept
            if isDone { return .kept(baton) }
            // Nothing at hand: the lock is for others while this thread waits.
            python.detach()
            let wait = crew.reactor.oldestPostponement(baton) == nil ? crew.longestPoll : 1
            owesAttendance = !crew.poll(baton, milliseconds: wait) && isMain
        }
    }

    /// Serves every complete request at hand, those that were postponed last.
    private func serveAll(_ taken: consuming Baton, _ python: inout PythonThread) -> Turn {
        var baton = taken
        while true {
            var isPostponed = false
            if crew.reactor.readsAhead(baton) { crew.reactor.holdRequests(baton, on: bench) }
            var found = crew.reactor.next(baton, on: bench)
            if found == nil {
                found = crew.nextPostponed(baton, on: bench)
                isPostponed = found != nil
                // None of them has its turn yet: it is that of those which are held.
                if found == nil, crew.reactor.hasHeldRequests(baton) { found = crew.reactor.next(baton, on: bench) }
            }
            guard let exchange = found.take() else { return .kept(baton) }
            // Where requests may go to other workers, somebody has to look after those that come while this one runs.
            let handsOver = isOneOfMany || crew.reactor.mayShare(baton)
            let kind = handsOver ? exchange.kind(PromotionPolicy.kind) : 0
            let isLong = handsOver && crew.promotion.promotesEarly(kind)
            if isLong, !isPostponed, crew.postpones(baton) {
                crew.reactor.postpone(exchange, kind: kind, baton)
                continue
            }
            crew.share(baton)
            switch serve(exchange, kind, isLong: isLong, isPostponed: isPostponed, baton, &python) {
            case .kept(let kept): baton = kept
            case .lost: return .lost
            case .failed: return .failed
            }
        }
    }

    /// Serves one request, with the baton lent meanwhile.
    @inline(__always)
    private func serve(
        _ exchange: consuming Exchange, _ kind: UInt32, isLong: Bool, isPostponed: Bool, _ taken: consuming Baton,
        _ python: inout PythonThread
    ) -> Turn {
        var baton = taken
        crew.countRequest(baton)
        gauge.begin(exchange.began)
        if let cell { exchange.show(in: cell, slot: slot, thread: threadID) }
        if isLong {
            guard let kept = crew.handOver.offerIfAwaited(baton) else {
                return serveWithoutBaton(exchange, kind, &python)
            }
            baton = kept
        }
        let mayDefer = crew.reactor.defersResponses(baton)
        let began = isLong ? Clock.now() : crew.reactor.recently(baton)
        // No runner waits for the baton: the pilot has it until one does, and need not wait for a tick before.
        let loan = crew.handOver.lend(baton, expectsLong: isLong)
        let (ended, failed) = runApplication(exchange, mayDefer: mayDefer, &python)
        guard let recovered = crew.handOver.recover(loan) else {
            let duration = Clock.now() - began
            let isShort = isLong && duration <= crew.configuration.tick
            giveBack(ended, kind, outlastedTick: !isShort, duration: duration)
            return failed ? .failed : .lost
        }
        baton = recovered
        gauge.end()
        cell?.endExchange(slot)
        crew.reactor.finish(ended, baton)
        if kind != 0 { crew.promotion.note(kind, outlastedTick: false) }
        if isOneOfMany {
            crew.lastRunner.servedShort(at: crew.reactor.recently(baton))
        }
        if failed {
            crew.handOver.offer(baton)
            return .failed
        }
        return .kept(baton)
    }

    /// Serves one request after another runner got the baton.
    private func serveWithoutBaton(
        _ exchange: consuming Exchange, _ kind: UInt32, _ python: inout PythonThread
    ) -> Turn {
        let began = Clock.now()
        let (ended, failed) = runApplication(exchange, mayDefer: false, &python)
        let duration = Clock.now() - began
        giveBack(ended, kind, outlastedTick: duration > crew.configuration.tick, duration: duration)
        return failed ? .failed : .lost
    }

    /// - Returns: what is over, and whether an exception is set that ends the worker.
    @inline(__always)
    private func runApplication(
        _ exchange: consuming Exchange, mayDefer: Bool, _ python: inout PythonThread
    ) -> (ended: EndedExchange, failed: Bool) {
        var exchange = Optional(exchange)
        return python.withGIL { gil in
            // Taken once: the closure runs once, which the compiler does not know.
            gateway.run(exchange.take()!, mayDefer: mayDefer, &gil)
        }
    }

    /// Leaves a connection to the thread that has the baton.
    private func giveBack(_ ended: EndedExchange, _ kind: UInt32, outlastedTick: Bool, duration: Nanoseconds) {
        gauge.end()
        let copy = cell?.copyExchange(slot)
        cell?.endExchange(slot)
        ended.sendDeferred()
        crew.returns.put(
            Returns.Item(
                exchange: ended, kind: kind, outlastedTick: outlastedTick, copy: copy, duration: duration))
        crew.reactor.waker.wake()
    }

    /// What there is to say of a request that has been running for too long. Any thread.
    func overdue(_ duration: Nanoseconds, _ gil: borrowing GIL) -> OverdueRequest {
        OverdueRequest(
            request: gateway.requestUnderWay(gil) ?? "a request", duration: duration, thread: gauge.identity)
    }

    /// What a thread owes the rest of the world when nothing else is to do. False when a signal handler raised.
    private func attend(_ python: inout PythonThread) -> Bool {
        guard isMain else { return true }
        crew.checkParent()
        do throws(PythonError) {
            try python.withGIL { (gil) throws(PythonError) in
                try gil.checkSignals()
                crew.attendRefork(report, gil)
            }
            return true
        } catch {
            return false
        }
    }

    /// The same while another thread may do the I/O: a signal handler that takes its time must not stop it, nor a
    /// thread that keeps Python's lock.
    private func attend(lending baton: consuming Baton, _ python: inout PythonThread) -> Turn {
        let loan = crew.handOver.lend(baton)
        let isFine = attend(&python)
        guard let recovered = crew.handOver.recover(loan) else { return isFine ? .lost : .failed }
        if isFine { return .kept(recovered) }
        crew.handOver.offer(recovered)
        return .failed
    }

    /// Takes from the reactor what only Python can deal with, and deals with it while another thread may do the I/O: a
    /// thread that keeps Python's lock, or a log that nobody reads, must not stop that.
    ///
    /// - Returns: nil when the pilot took the baton meanwhile.
    private func fetch(_ baton: consuming Baton, _ python: inout PythonThread) -> Baton? {
        let hasLines = crew.telemetry.hasLines
        guard hasLines || crew.reactor.hasSomethingToFetch(baton) else { return baton }
        let releases = crew.reactor.takeReleases(baton)
        let notices = crew.reactor.takeNotices(baton)
        let loan = crew.handOver.lend(baton)
        python.withGIL { gil in
            gil.release(owners: releases)
            for notice in notices { report.notice(notice.level, notice.text, gil) }
            if hasLines {
                crew.reportLostLines(gil)
                crew.tellUntold(gil)
            }
        }
        return crew.handOver.recover(loan)
    }
}
