public import Platform
public import Transport
public import WSGI

/// What a worker is told once.
public struct WorkerConfiguration: Sendable {
    public var transport = TransportConfiguration()
    public var gateway = GatewayConfiguration()
    /// Threads that run the application, the main thread included.
    public var runners = 1
    /// How long an application may run before the pilot takes the baton away from its thread.
    public var tick: Nanoseconds = .milliseconds(5)
    /// How long a draining worker waits for the requests under way.
    public var gracefulTimeout: Nanoseconds = .seconds(30)
    /// The arbiter's process id: without it, a worker leaves.
    public var parent: Int32 = 0

    public init() {}
}
