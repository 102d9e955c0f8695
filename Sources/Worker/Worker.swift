public import Admin
public import Platform
public import PythonBridge
internal import Scheduling
internal import Telemetry
public import Transport
public import WSGI

/// A request that has been running for longer than it may.
public struct OverdueRequest {
    /// `GET /path`.
    public let request: String
    /// Nanoseconds.
    public let duration: Nanoseconds
    /// `threading.get_ident()` of the thread that runs it.
    public let thread: Int
}

/// What a worker needs of Python's world.
public struct WorkerReport {
    public let notice: (Notice.Level, String, borrowing GIL) -> Void
    public let application: ApplicationLog
    /// A request is given up that takes too long.
    public let overdue: (OverdueRequest, borrowing GIL) -> Void
    /// A request runs for long. The number says of how many others nothing was written.
    public let slow: (OverdueRequest, Int, borrowing GIL) -> Void
    /// The same as `startThread` for a thread that Python does not wait for at its end.
    public let startDaemon: (String, PyPointer, borrowing GIL) throws(PythonError) -> Void
    /// Starts a thread of Python's with this name that calls the callable.
    public let startThread: (String, PyPointer, borrowing GIL) throws(PythonError) -> Void
    /// Whether threads run in this process that are none of the server's, which says so. It is given the kernel's
    /// numbers of those that Python has not started.
    public var hasForeignThreads: (([Int32], borrowing GIL) -> Bool)?
    /// A runner's thread ended by the exception that is set.
    public let threadDied: (borrowing GIL) -> Void

    public init(
        notice: @escaping (Notice.Level, String, borrowing GIL) -> Void, application: ApplicationLog,
        overdue: @escaping (OverdueRequest, borrowing GIL) -> Void,
        slow: @escaping (OverdueRequest, Int, borrowing GIL) -> Void,
        startDaemon: @escaping (String, PyPointer, borrowing GIL) throws(PythonError) -> Void,
        startThread: @escaping (String, PyPointer, borrowing GIL) throws(PythonError) -> Void,
        threadDied: @escaping (borrowing GIL) -> Void
    ) {
        self.notice = notice
        self.application = application
        self.overdue = overdue
        self.slow = slow
        self.startDaemon = startDaemon
        self.startThread = startThread
        self.threadDied = threadDied
    }
}

extension AdminService {
    /// Starts it in a worker, which leaves the operator to others when it leaves itself.
    ///
    /// - Throws: `SystemError` when the system gives no thread.
    public func start(in lifetime: SharedLifetime, beside commons: Commons?) throws(SystemError) {
        try start { lifetime.isLeaving && commons?.areOthersServing == true }
    }
}

/// One process's threads around one reactor.
public final class Worker {
    let crew: Crew
    private let types: WSGITypes
    /// Answers the operator; nil where nobody asked for that.
    private let admin: AdminService?
    private var runners: [Runner] = []
    /// Threads that were still in the application when `run` ended. Python would wait for them on its way out.
    public private(set) var threadsLeftBehind = 0

    /// - Parameters:
    ///   - commons: what it has in common with other workers; nil where it is alone.
    ///   - admin: answers the operator; nil where it does not. It may have been started.
    ///   - health: what is answered before the application; nil for nothing.
    ///   - requestReplacement: asks the arbiter for a worker in its place, for the reason given.
    /// - Throws: `SystemError` when the system gives no descriptors.
    public init(
        configuration: WorkerConfiguration, listeners: [ListenerSocket], types: WSGITypes,
        lifetime: SharedLifetime, trust: @escaping @Sendable (SocketAddress) -> PeerTrust, commons: Commons?,
        admin: AdminService?, health: HealthEndpoint?, requestReplacement: @escaping (String) -> Void
    ) throws(SystemError) {
        self.types = types
        self.admin = admin
        let reactor = try Reactor(
            configuration: configuration.transport, listeners: listeners, trust: trust,
            commons: commons, workers: configuration.workers)
        reactor.health = health
        reactor.keepsListeners = configuration.refork?.isChosen
        crew = try Crew(
            configuration: configuration, reactor: reactor, lifetime: lifetime, commons: commons,
            requestReplacement: requestReplacement)
    }

    /// Where the handlers of signals write a byte each, so that no signal waits for the next request.
    public var signalDescriptor: Descriptor { (crew.attendance ?? crew.reactor.signals).writer }

    /// Tells the other workers that this one serves from now on.
    public func announce() {
        crew.commons?.cell.setPresence(
            ScoreboardPresence(lifetime: .serving, runners: crew.configuration.runners))
    }

    /// Lets the requests under way finish, then ends `run`. For the main thread's signal handlers.
    public func drain() { crew.drain() }

    /// Ends `run` without waiting for them. For the main thread's signal handlers, which then raise SystemExit.
    public func quit() { crew.quit() }

    /// The main thread's request, if the watchdog interrupted it. For the handler of SIGABRT.
    public func interruptedRequest(_ gil: borrowing GIL) -> OverdueRequest? {
        guard crew.watchdog.hasAborted, let runner = runners.first,
            let duration = runner.gauge.duration(at: Clock.now())
        else { return nil }
        return runner.overdue(duration, gil)
    }

    /// How many of them are told of one by one.
    private static let mostTold = 8

    /// The requests that are left in the application, but for those that were given up, of which the log has told.
    public func unfinishedRequests(_ gil: borrowing GIL) -> [OverdueRequest] {
        let now = Clock.now()
        let busy = runners.filter { $0.gauge.isBusy && !$0.gauge.isGivenUp }.prefix(Self.mostTold)
        return busy.compactMap { runner in runner.gauge.duration(at: now).map { runner.overdue($0, gil) } }
    }

    /// Makes everything ready to serve: what fails here must fail before anybody was told that this worker serves.
    ///
    /// - Parameters:
    ///   - application: the WSGI callable.
    ///   - errors: the `wsgi.errors` stream.
    ///   - telemetry: who is told of requests.
    /// - Throws: `PythonError` when a gateway cannot be made or a thread not be started.
    public func prepare(
        application: PyPointer, errors: PyPointer, report: WorkerReport, telemetry: WorkerTelemetry,
        _ gil: borrowing GIL
    ) throws(PythonError) {
        crew.telemetry = telemetry
        let isMain = crew.configuration.mainThreadRuns
        // Before there is a second thread that does the same: what Swift initializes on first use (`static let`) must
        // not be reached for the first time by two threads of a forked process at once, see docs/fork-safety.md.
        let outlook = Outlook(crew.lifetime, crew.commons)
        for (index, gauge) in crew.gauges.enumerated() {
            let bench = Workbench(policy: crew.configuration.transport.policy)
            let gateway = try Gateway(
                on: bench, application: application, errors: errors, log: report.application, types: types,
                configuration: crew.configuration.gateway, outlook: outlook,
                writeTimeout: crew.configuration.transport.timeouts.write,
                clientWaits: ClientWaits(gauge: gauge, cell: crew.commons?.cell, slot: index), gil)
            gateway.hooks = try telemetry.makeHooks?(gil)
            gateway.excerpt = try telemetry.makeExcerpt?(gil)
            gateway.observer = telemetry.makeObserver(gateway.excerpt, gateway.hooks)
            runners.append(
                Runner(
                    crew: crew, bench: bench, gateway: gateway, gauge: gauge, slot: index, report: report,
                    isMain: isMain))
        }
        crew.reactor.observer = telemetry.makeReactorObserver()
        let pilot = Pilot(crew: crew, mainGauge: isMain ? runners[0].gauge : nil)
        Process.noteForks()
        do throws(SystemError) {
            try Thread.start(name: "pilot") { pilot.run() }
            try telemetry.accessLog?.start()
            try admin?.start(in: crew.lifetime, beside: crew.commons)
        } catch {
            throw gil.raise(.osError, "A thread of the worker cannot be started: \(error).")
        }
        if let limit = crew.configuration.slowRequestLog {
            let watch = SlowWatch(crew: crew, runners: runners, report: report, limit: limit)
            let handle = try SlowWatch.makeType(gil).wrap(watch, gil)
            let run = try gil.attribute(handle.pointer, "run")
            try report.startDaemon("slow-watch", run.pointer, gil)
        }
    }

    /// Serves until the worker ends, once it is prepared. The calling thread is Python's main thread.
    ///
    /// - Throws: `PythonError` when a signal handler raised, or when a thread cannot be started.
    public func run(report: WorkerReport, _ gil: inout GIL) throws(PythonError) {
        // It waits for answers under way, and other threads of Python need not.
        defer { if let admin { gil.released { admin.stop() } } }
        defer { finishTelemetry(&gil) }
        let isMain = crew.configuration.mainThreadRuns
        let finished = isMain ? runOnThisThread(&gil) : try runOnThreads(report, &gil)
        guard finished else { throw PythonError() }
    }

    /// Writes the last lines of the access log, and says which were lost.
    private func finishTelemetry(_ gil: inout GIL) {
        let telemetry = crew.telemetry
        gil.released { telemetry.flush() }
        crew.reportLostLines(gil)
        crew.reportUnwrittenLines(gil)
        crew.tellUntold(gil)
    }

    private func runOnThisThread(_ gil: inout GIL) -> Bool {
        var python = PythonThread.current(&gil)
        let finished = runners[0].run(&python)
        crew.end()
        python.withGIL { _ in }
        return finished
    }

    private func runOnThreads(_ report: WorkerReport, _ gil: inout GIL) throws(PythonError) -> Bool {
        guard let pipe = crew.attendance else { preconditionFailure("no pipe for the main thread to wait on") }
        var started = 0
        let isComplete: Bool
        do throws(PythonError) {
            let starter = try RunnerThread.makeType(gil)
            for (index, runner) in runners.enumerated() {
                try start(runner, name: "runner-\(index + 1)", starter, report, gil)
                started += 1
            }
            isComplete = true
        } catch {
            isComplete = false
        }
        var attendant = Attendant(crew: crew, runners: Array(runners[..<started]), pipe: pipe, report: report)
        var python = PythonThread.current(&gil)
        // Without all of its threads it does not serve, and those that are there must leave: Python would wait for
        // them.
        let finished = isComplete && attendant.run(&python)
        // The exception that is set, if one is, is kept in the thread's state meanwhile.
        threadsLeftBehind = attendant.dismiss(&python)
        python.withGIL { _ in }
        return finished
    }

    private func start(
        _ runner: Runner, name: String, _ starter: borrowing NativeType, _ report: WorkerReport, _ gil: borrowing GIL
    ) throws(PythonError) {
        let handle = try starter.wrap(RunnerThread(runner, name: name, crew, report), gil)
        let run = try gil.attribute(handle.pointer, "run")
        try report.startThread(name, run.pointer, gil)
    }
}
