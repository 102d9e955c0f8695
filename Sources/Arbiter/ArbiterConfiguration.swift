public import Settings

/// What the master must know of the settings.
public struct ArbiterConfiguration: Sendable {
    /// How many workers shall live; 0 or more.
    public var workers: Int
    /// Where to listen, in the order of the command line.
    public var binds: [BindAddress]
    /// How many connections may wait to be accepted, per address; the kernel caps it.
    public var backlog: Int32
    /// Nanoseconds that workers have to finish their requests when the server stops.
    public var gracefulTimeout: UInt64
    /// Permission bits that unix sockets lack.
    public var umask: UInt32
    /// Name and version of the server, for the log.
    public var serverName: String
    /// Name of the worker class, for the log.
    public var workerClass: String

    public init(
        workers: Int, binds: [BindAddress], backlog: Int32, gracefulTimeout: UInt64, umask: UInt32 = 0,
        serverName: String, workerClass: String
    ) {
        self.workers = workers
        self.binds = binds
        self.backlog = backlog
        self.gracefulTimeout = gracefulTimeout
        self.umask = umask
        self.serverName = serverName
        self.workerClass = workerClass
    }
}
