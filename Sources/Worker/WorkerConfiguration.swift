public import Platform
public import Transport
public import WSGI

/// What a worker is told once.
public struct WorkerConfiguration: Sendable {
    public var transport = TransportConfiguration()
    public var gateway = GatewayConfiguration()
    /// Threads that run the application.
    public var runners = 1
    /// Whether the one runner is Python's main thread. Otherwise that only handles signals and watches over the
    /// runners.
    public var mainThreadRuns = true
    /// Requests after which the worker is replaced; nil for any number.
    public var requestLimit: Int?
    /// The longest that one request may run; nil for as long as it takes.
    public var requestTimeout: Nanoseconds?
    /// The longest that the main thread, where it is no runner, may wait for Python's lock; nil for as long as it
    /// takes.
    public var lockTimeout: Nanoseconds?
    /// How long an application may run before the pilot takes the baton away from its thread.
    public var tick: Nanoseconds = .milliseconds(5)
    /// How long a draining worker waits for the requests under way.
    public var gracefulTimeout: Nanoseconds = .seconds(30)
    /// The arbiter's process id: without it, a worker leaves.
    public var parent: Int32 = 0

    public init() {}
}
