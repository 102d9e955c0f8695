internal import Platform
internal import PythonBridge
internal import Scheduling
internal import Transport
internal import WSGI

/// A thread that polls, parses and runs the application.
final class Runner {
    private let crew: Crew
    private let gateway: Gateway
    private let report: WorkerReport
    /// Python runs signal handlers on its main thread alone.
    private let isMain: Bool
    private let bench: Workbench

    init(crew: Crew, gateway: Gateway, report: WorkerReport, isMain: Bool) {
        self.crew = crew
        self.gateway = gateway
        self.report = report
        self.isMain = isMain
        bench = Workbench(policy: crew.configuration.transport.policy)
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

    /// Serves until the worker ends.
    ///
    /// - Returns: false when a signal handler raised: that exception is set.
    func run(_ python: inout PythonThread) -> Bool {
        while true {
            python.detach()
            let taken = crew.exchange.take(timeout: Crew.nap)
            // Not on the way of most requests: a runner comes here only after it lost the baton.
            guard attend(&python) else {
                if let taken { crew.exchange.offer(taken) }
                return false
            }
            guard let baton = taken else {
                if crew.isOverdue || (!isMain && crew.state.isDraining) { return true }
                continue
            }
            switch serveWhileHolding(baton, &python) {
            case .kept(let baton):
                crew.exchange.offer(baton)
                return true
            case .lost: continue
            case .failed: return false
            }
        }
    }

    /// Polls and serves for as long as the baton stays here. `.kept` means that the worker is done.
    private func serveWhileHolding(_ taken: consuming Baton, _ python: inout PythonThread) -> Turn {
        var baton = taken
        while true {
            crew.settleReturns(baton)
            switch serve(baton, &python) {
            case .kept(let kept): baton = kept
            case .lost: return .lost
            case .failed: return .failed
            }
            if crew.reactor.takeSignals(baton), !attend(&python) {
                crew.exchange.offer(baton)
                return .failed
            }
            if crew.isDone(baton) { return .kept(baton) }
            fetch(baton, &python)
            // Nothing at hand: the lock is for others while this thread waits.
            python.detach()
            if !crew.reactor.poll(baton, milliseconds: Crew.napMilliseconds), !attend(&python) {
                crew.exchange.offer(baton)
                return .failed
            }
        }
    }

    /// Runs the application for each complete request at hand.
    private func serve(_ held: consuming Baton, _ python: inout PythonThread) -> Turn {
        var baton = held
        while let connection = crew.reactor.next(baton, on: bench) {
            let mayPersist = crew.reactor.configuration.keepsAlive
            let loan = crew.exchange.lend(baton)
            let outcome = python.withGIL { gil -> (persists: Bool, failed: Bool) in
                do throws(PythonError) {
                    return (try gateway.run(connection, on: bench, mayPersist: mayPersist, &gil), false)
                } catch {
                    return (false, true)
                }
            }
            guard let recovered = crew.exchange.recover(loan) else {
                crew.returns.put(Returns.Item(connection: connection, persists: outcome.persists))
                crew.reactor.waker.wake()
                return outcome.failed ? .failed : .lost
            }
            baton = recovered
            crew.reactor.finish(connection, baton, persist: outcome.persists)
            if outcome.failed {
                crew.exchange.offer(baton)
                return .failed
            }
        }
        return .kept(baton)
    }

    /// What a thread owes the rest of the world when nothing else is to do. False when a signal handler raised.
    private func attend(_ python: inout PythonThread) -> Bool {
        guard isMain else { return true }
        crew.checkParent()
        do throws(PythonError) {
            try python.withGIL { (gil) throws(PythonError) in try gil.checkSignals() }
            return true
        } catch {
            return false
        }
    }

    /// Takes from the reactor what only Python can deal with.
    private func fetch(_ baton: borrowing Baton, _ python: inout PythonThread) {
        let releases = crew.reactor.takeReleases(baton)
        let notices = crew.reactor.takeNotices(baton)
        guard !releases.isEmpty || !notices.isEmpty else { return }
        python.withGIL { gil in
            gil.release(owners: releases)
            for notice in notices { report.notice(notice.level, notice.text, gil) }
        }
    }
}
