public import Platform
public import Transport
public import WSGI

/// What a worker is told once.
public struct WorkerConfiguration: Sendable {
    public let transport: TransportConfiguration
    public let gateway: GatewayConfiguration
    /// Threads that run the application.
    public let runners: Int
    /// Whether the one runner is Python's main thread. Otherwise that only handles signals and watches over the
    /// runners.
    public let mainThreadRuns: Bool
    /// Requests after which the worker is replaced; nil for any number.
    public let requestLimit: Int?
    /// Nanoseconds after which it is replaced; nil for any time.
    public let longestLife: Nanoseconds?
    /// Bytes of memory with which it is replaced; nil for any number.
    public let mostMemory: Int?
    /// The longest that one request may run; nil for as long as it takes.
    public let requestTimeout: Nanoseconds?
    /// The longest that the main thread, where it is no runner, may wait for Python's lock; nil for as long as it
    /// takes.
    public let lockTimeout: Nanoseconds?
    /// How long an application may run before the pilot takes the baton away from its thread.
    public let tick: Nanoseconds
    /// How long a request may run before the log tells of it; nil for ever.
    public var slowRequestLog: Nanoseconds?
    /// How it comes to be what other workers are forked from; nil where it does not.
    public var refork: ReforkTerms?
    /// Tells the arbiter that nothing can be done in this worker any more, and why.
    public var reportHang: @Sendable (String) -> Void = { _ in }
    /// How long a draining worker waits for the requests under way.
    public let gracefulTimeout: Nanoseconds
    /// How many workers the server has.
    public let workers: Int
    /// The arbiter's process id: without it, a worker leaves.
    public let parent: Int32

    public init(
        transport: TransportConfiguration, gateway: GatewayConfiguration, runners: Int, mainThreadRuns: Bool,
        requestLimit: Int?, longestLife: Nanoseconds?, mostMemory: Int?, requestTimeout: Nanoseconds?,
        lockTimeout: Nanoseconds?, tick: Nanoseconds,
        gracefulTimeout: Nanoseconds, workers: Int, parent: Int32
    ) {
        self.transport = transport
        self.gateway = gateway
        self.runners = runners
        self.mainThreadRuns = mainThreadRuns
        self.requestLimit = requestLimit
        self.longestLife = longestLife
        self.mostMemory = mostMemory
        self.requestTimeout = requestTimeout
        self.lockTimeout = lockTimeout
        self.tick = tick
        self.gracefulTimeout = gracefulTimeout
        self.workers = workers
        self.parent = parent
    }
}
