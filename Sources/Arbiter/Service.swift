internal import Platform
internal import Supervision

/// The service manager that started this server, if one did, and what it has been told.
struct Service {
    private let manager: ServiceManager?
    private var watchdog: ServiceWatchdogPolicy?
    private var isReady = false
    private var isStopping = false
    /// The manager opened the sockets: no other address counts, and their files are its own.
    var gaveSockets = false

    /// For a server that nobody watches.
    init() {
        manager = nil
    }

    /// - Parameter allowedSilence: for how long no worker may serve, in nanoseconds; nil for any time.
    /// - Throws: `ServiceVariableError` for a variable of the manager's that cannot be read.
    init(allowedSilence: Nanoseconds?) throws(ServiceVariableError) {
        manager = ServiceManager.inherited()
        guard manager != nil, let timeout = try ServiceManager.watchdogTimeout() else { return }
        watchdog = ServiceWatchdogPolicy(timeout: timeout, allowedSilence: allowedSilence, at: Clock.now())
    }

    /// When the watchdog is to be looked at.
    var deadline: Nanoseconds? { watchdog?.deadline }
    /// The manager ends this server when it does not hear of it.
    var isWatched: Bool { watchdog != nil }

    /// A worker serves. The first one makes the service ready.
    mutating func noteServing(_ pid: ProcessID, workers: Int) {
        guard !isReady else { return }
        isReady = true
        manager?.notify(.ready, .mainPID(pid), .status("Serving with \(workers) workers"))
    }

    func noteReload() {
        manager?.notify(.reloading(since: Clock.now()), .status("Reloading"))
    }

    /// A reload is done, or given up.
    func noteReloaded(_ status: String) {
        guard isReady, !isStopping else { return }
        manager?.notify(.ready, .status(status))
    }

    /// The server ends. With a successor it does not: that is the main process from now on, and the manager must know
    /// before this one is gone.
    mutating func noteStop(successor: ProcessID?) {
        guard !isStopping else { return }
        isStopping = true
        if let successor {
            manager?.notify(.mainPID(successor), .status("Replaced by a new master"))
        } else {
            manager?.notify(.stopping, .status("Stopping"))
        }
    }

    /// This master has taken over.
    mutating func notePromotion(_ pid: ProcessID) {
        isReady = true
        manager?.notify(.mainPID(pid), .ready, .status("Serving"))
    }

    /// Shows the manager that there is progress, if it is time to and there is.
    ///
    /// - Parameters:
    ///   - lives: when each worker that serves gave its last sign of life.
    ///   - wanted: how many there shall be.
    mutating func watch(lives: [Nanoseconds], wanted: Int) {
        let now = Clock.now()
        guard watchdog?.verdict(heartbeats: lives, wanted: wanted, at: now) == .send else { return }
        manager?.notify(.watchdog)
    }
}
