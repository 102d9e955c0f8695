public import Platform
public import PythonBridge
internal import Scheduling
public import Transport
public import WSGI

/// Where a worker's news go.
public struct WorkerReport {
    public let notice: (Notice.Level, String, borrowing GIL) -> Void
    public let application: ApplicationLog

    public init(
        notice: @escaping (Notice.Level, String, borrowing GIL) -> Void, application: ApplicationLog
    ) {
        self.notice = notice
        self.application = application
    }
}

/// One process's threads around one reactor.
public final class Worker {
    private let crew: Crew
    private let types: WSGITypes

    /// - Throws: `SystemError` when the system gives no descriptors.
    public init(
        configuration: WorkerConfiguration, listeners: [ListenerSocket], types: WSGITypes, state: WorkerState,
        trust: @escaping @Sendable (SocketAddress) -> PeerTrust
    ) throws(SystemError) {
        self.types = types
        let reactor = try Reactor(configuration: configuration.transport, listeners: listeners, trust: trust)
        crew = Crew(configuration: configuration, reactor: reactor, state: state)
    }

    /// Where the handlers of signals write a byte each, so that no signal waits for the next request.
    public var signalDescriptor: Descriptor { crew.reactor.signals.writer }

    /// Lets the requests under way finish, then ends `run`. For the main thread's signal handlers.
    public func drain() {
        crew.drain()
    }

    /// Serves on the calling thread, Python's main thread, until the worker ends.
    ///
    /// - Parameters:
    ///   - application: the WSGI callable.
    ///   - errors: the `wsgi.errors` stream.
    /// - Throws: `PythonError` when a signal handler raised, or when the gateway cannot be made.
    public func run(
        application: PyPointer, errors: PyPointer, report: WorkerReport, _ gil: inout GIL
    ) throws(PythonError) {
        let timeout = crew.configuration.transport.timeouts.progress
        let gateway = try Gateway(
            application: application, errors: errors, log: report.application, types: types,
            configuration: crew.configuration.gateway, state: crew.state,
            writeTimeout: timeout == 0 ? -1 : Int32(clamping: timeout / 1_000_000), gil)
        // Before there is a second thread: what Swift initializes on first use (`static let`) must not be reached for the
        // first time by two threads of a forked process at once, see docs/fork-safety.md.
        let runner = Runner(crew: crew, gateway: gateway, report: report, isMain: true)
        let pilot = Pilot(crew: crew)
        Process.noteForks()
        do throws(SystemError) {
            try Thread.start(name: "pilot") { pilot.run() }
        } catch {
            throw gil.raise(.osError, "The pilot thread cannot be started: \(error).")
        }
        var python = PythonThread.current(&gil)
        let finished = runner.run(&python)
        python.withGIL { _ in }
        guard finished else { throw PythonError() }
    }
}
