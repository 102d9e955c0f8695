public import Settings
public import Supervision

/// What the master must know of the settings.
public struct ArbiterConfiguration: Sendable {
    /// What it asks of the master for its workers.
    public var terms: Terms
    /// Threads of a worker that run the application.
    public var runners = 1
    /// Nanoseconds after which a worker that gives no sign of life is replaced; nil for never.
    public var silenceTimeout: UInt64?
    /// Where to listen, in the order of the command line.
    public var binds: [BindAddress]
    /// The one among them where workers answer the operator, and no client; nil for none. Its file is the user's alone.
    public var adminBind: BindAddress?
    /// Whether somebody can ask for the stacks of a worker: who may open the operator's Unix socket.
    var hasStackPorts: Bool { if case .unix = adminBind { true } else { false } }
    /// How many connections may wait to be accepted, per address; the kernel caps it.
    public var backlog: Int32
    /// Seconds for which the kernel leaves a new connection alone until its first bytes come; 0 for none.
    public var deferAccept = 0
    /// Each worker has sockets of its own beside the shared ones, and so may other servers (`SO_REUSEPORT`).
    public var sharesPorts = false
    /// Permission bits that unix sockets lack.
    public var umask: UInt32 = 0
    /// Whom unix sockets are given to; nil leaves them to the user of the master.
    public var owner: (user: Int?, group: Int?) = (nil, nil)
    /// The file for the master's process id; nil for none.
    public var pidFile: String?
    /// For how long no worker may serve before whoever watches over the server is to step in, in nanoseconds; nil for
    /// any time.
    public var allowedSilence: UInt64?
    /// The server was detached from its terminal, and WINCH lets its workers go.
    public var isDaemon = false
    /// Workers are forked from a process that has loaded the application.
    public var preloads = false
    /// How changed files are found, after which the workers are replaced; nil to look for none.
    public var reloadEngine: ReloadEngine?
    /// What the processes are called, after `monoceros: master` or `worker`.
    public var processName = ""
    /// Name and version of the server, for the log.
    public var serverName = ""
    /// Name of the worker class, for the log.
    public var workerClass = ""

    public init(terms: Terms, binds: [BindAddress], backlog: Int32) {
        self.terms = terms
        self.binds = binds
        self.backlog = backlog
    }
}
