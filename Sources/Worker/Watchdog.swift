internal import Platform
internal import Synchronization

/// Ends a worker in which nothing can be done any more. It works on the pilot's thread, which needs no lock of Python's.
///
/// Where the main thread runs the application, that is a request that takes longer than it may: it is interrupted, as
/// gunicorn does, by SIGABRT, whose handler says where the application was and raises SystemExit in it. Where it does not,
/// a request that takes too long is the `Attendant`'s affair, and this looks after the attendant: it stands still when some
/// code keeps Python's lock to itself.
final class Watchdog: Sendable {
    private let requestTimeout: Nanoseconds?
    private let lockTimeout: Nanoseconds?
    private let mainThreadSeen = Atomic<UInt64>(Clock.now())
    /// When SIGABRT was sent; 0 before.
    private let abortedAt = Atomic<UInt64>(0)

    /// How long the handler of SIGABRT has to end the process.
    private static let grace = Nanoseconds.seconds(2)

    init(_ configuration: WorkerConfiguration) {
        requestTimeout = configuration.mainThreadRuns ? configuration.requestTimeout : nil
        lockTimeout = configuration.mainThreadRuns ? nil : configuration.lockTimeout
    }

    /// Whether SIGABRT was sent.
    var hasAborted: Bool { abortedAt.load(ordering: .acquiring) != 0 }

    /// The main thread had Python's lock at this moment.
    func noteMainThread(at now: Nanoseconds) { mainThreadSeen.store(now, ordering: .relaxed) }

    /// For the pilot, about once a second.
    func check(_ gauge: RunnerGauge?, at now: Nanoseconds) {
        if let lockTimeout {
            let seen = mainThreadSeen.load(ordering: .relaxed)
            if now > seen, now - seen > lockTimeout { leave("no thread could run Python for", lockTimeout) }
        }
        guard let requestTimeout, let duration = gauge?.duration(at: now), duration > requestTimeout else { return }
        let aborted = abortedAt.load(ordering: .relaxed)
        if aborted == 0 {
            abortedAt.store(now, ordering: .releasing)
            // To the process, which the kernel gives to its main thread.
            try? Process.send(.abort, to: Process.id)
        } else if now - aborted > Self.grace {
            leave("the request could not be interrupted after", requestTimeout)
        }
    }

    /// Python's logging is out of reach: what keeps its lock would keep us.
    private func leave(_ reason: String, _ limit: Nanoseconds) -> Never {
        let line =
            "[\(Process.id)] [CRITICAL] WORKER TIMEOUT (pid:\(Process.id)): \(reason) \(limit / 1_000_000_000) s\n"
        var copy = line
        copy.withUTF8 { try? Descriptor.standardError.writeAll(UnsafeRawBufferPointer($0)) }
        Process.exitImmediately(1)
    }
}
