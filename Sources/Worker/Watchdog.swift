internal import Platform
internal import Scheduling
internal import Synchronization

/// Ends a worker in which nothing can be done any more. It works on the pilot's thread, which needs no lock of
/// Python's.
///
/// Where the main thread runs the application, that is a request that takes longer than it may: it is interrupted, as
/// gunicorn does, by SIGABRT, whose handler says where the application was and raises SystemExit in it. Where it does
/// not, a request that takes too long is the `Attendant`'s affair, and this looks after the attendant: it stands still
/// when some code keeps Python's lock to itself.
final class Watchdog: @unchecked Sendable {
    // `@unchecked`: the clocks are for `check` alone, which the pilot calls.
    private var silence = RunningTime(nap: Crew.nap)
    private var request = RunningTime(nap: Crew.nap)
    private var interruption = RunningTime(nap: Crew.nap)
    private let requestTimeout: Nanoseconds?
    private let lockTimeout: Nanoseconds?
    private let mainThreadSeen = Atomic<UInt64>(Clock.now())
    /// When SIGABRT was sent; 0 before.
    private let abortedAt = Atomic<UInt64>(0)

    /// When the master was told; 0 before.
    private var toldAt: Nanoseconds = 0
    private let reportHang: (String) -> Void

    /// How long the handler of SIGABRT has to end the process, and a worker whose time is up to take Python's way out.
    static let grace = Nanoseconds.seconds(2)

    /// How long the master has to end this process, once it was told. It may be gone, or busy.
    private static let mastersTime = Nanoseconds.seconds(3)

    /// - Parameter reportHang: tells the master, who can say where the threads are and writes it to every log.
    init(_ configuration: WorkerConfiguration, reportHang: @escaping (String) -> Void) {
        self.reportHang = reportHang
        requestTimeout = configuration.mainThreadRuns ? configuration.requestTimeout : nil
        lockTimeout = configuration.mainThreadRuns ? nil : configuration.lockTimeout
    }

    /// Whether SIGABRT was sent.
    var hasAborted: Bool { abortedAt.load(ordering: .acquiring) != 0 }

    /// The main thread had Python's lock at this moment.
    func noteMainThread(at now: Nanoseconds) { mainThreadSeen.store(now, ordering: .relaxed) }

    /// For the pilot, about once a second.
    ///
    /// - Parameters:
    ///   - noteTimeout: called when the application has taken too long, once.
    ///   - beforeLeaving: called before the process is ended.
    func check(_ gauge: RunnerGauge?, at now: Nanoseconds, noteTimeout: () -> Void, beforeLeaving: () -> Void) {
        if let lockTimeout {
            let seen = mainThreadSeen.load(ordering: .relaxed)
            if silence.look(at: now, since: seen) > lockTimeout {
                noteTimeout()
                stop("no thread could run Python for", lockTimeout, at: now, beforeLeaving)
            }
        }
        guard let requestTimeout, let began = gauge?.began, request.look(at: now, since: began) > requestTimeout
        else { return }
        let aborted = abortedAt.load(ordering: .relaxed)
        if aborted == 0 {
            abortedAt.store(now, ordering: .releasing)
            noteTimeout()
            // To the process, which the kernel gives to its main thread.
            try? Process.send(.abort, to: Process.id)
        } else if interruption.look(at: now, since: aborted) > Self.grace {
            stop("the request could not be interrupted after", requestTimeout, at: now, beforeLeaving)
        }
    }

    private func stop(_ reason: String, _ limit: Nanoseconds, at now: Nanoseconds, _ beforeLeaving: () -> Void) {
        let text = "\(reason) \(limit / 1_000_000_000) s"
        guard toldAt != 0 else {
            toldAt = now
            beforeLeaving()
            return reportHang(text)
        }
        guard now >= toldAt + Self.mastersTime else { return }
        Self.leave("WORKER TIMEOUT (pid:\(Process.id)): \(text)")
    }

    /// Writes a line and ends the process, whether the line could be written or not. Python's logging is out of reach:
    /// what keeps its lock would keep us.
    static func leave(_ line: String) -> Never {
        LastWords.write("[\(Process.id)] [CRITICAL] \(line)\n", to: .standardError, within: patience)
        Process.exitImmediately(1)
    }

    /// How long standard error has for that line.
    private static let patience = Nanoseconds.milliseconds(500)
}
