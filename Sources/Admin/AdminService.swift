internal import HTTPWire
public import Platform
internal import Scheduling
internal import Synchronization
internal import Telemetry
internal import Transport

/// Answers the operator, on a thread and with a reactor of its own.
///
/// It shares nothing with what serves clients: no baton to wait for, no poller in which a flood of clients stands in
/// front, no place among `worker_connections`, and not Python's lock. Whatever the application, its clients or C code
/// that keeps the lock are up to, the answer comes at once. It is the same reactor, though, with the same wire and
/// limits.
public final class AdminService: @unchecked Sendable {
    // `@unchecked`: the reactor and the bench are the service's thread's alone; others touch the waker and the atomics.
    private let configuration: AdminConfiguration
    private let reactor: Reactor
    private let bench: Workbench
    private var responder: AdminResponder
    /// Touched by the worker's main thread alone.
    private var isStarted = false
    private let isStopping = Atomic<Bool>(false)
    private let hasStopped = Atomic<UInt32>(0)
    private let waker: Waker

    /// Connections at a time: an operator's tools, and a scraper or two.
    static let places = 64
    /// How long a worker that leaves waits for answers under way.
    static let patience = Nanoseconds.milliseconds(300)

    /// - Throws: `SystemError` when the system gives no descriptors.
    public init(_ configuration: AdminConfiguration) throws(SystemError) {
        self.configuration = configuration
        reactor = try Self.makeReactor(configuration)
        reactor.keepsListeners = configuration.keepsSocket
        bench = Workbench(policy: Self.policy(configuration))
        responder = AdminResponder(configuration)
        waker = reactor.waker
        // Whatever Swift makes on first use is made now, on this thread: see docs/fork-safety.md.
        responder.warmUp()
    }

    private static func makeReactor(_ configuration: AdminConfiguration) throws(SystemError) -> Reactor {
        // Bodies are short, and no response is spooled.
        var transport = TransportConfiguration(
            policy: policy(configuration), proxyMode: nil,
            body: BodyLimits(memory: 8192, spoolDirectory: "/nonexistent"),
            timeouts: Timeouts(head: .seconds(10), idle: .seconds(120), body: .seconds(10), write: .seconds(10)),
            maximumConnections: places, acceptBatch: 1, sharesListeners: false, streamsBodies: false, bufferMemory: nil,
            spoolAllowance: configuration.spoolAllowance, responseWait: 0)
        // A few clients that keep their places must not keep an operator out.
        transport.crowd = .brisk
        // Accepted sockets inherit it (tcp(7)). Else the kernel takes megabytes for a client that reads nothing, and
        // hundreds of its requests are answered before it is seen to make no progress.
        try? configuration.socket.limitSendBuffer(bytes: 64 << 10)
        return try Reactor(
            configuration: transport, listeners: [ListenerSocket(descriptor: configuration.socket)], trust: { _ in [] })
    }

    private static func policy(_ configuration: AdminConfiguration) -> RequestPolicy {
        var policy = configuration.policy
        policy.limitRequestBody = 4096
        return policy
    }

    /// Starts the thread, where it was not started yet. For the worker's main thread.
    ///
    /// - Parameter leavesToOthers: whether this worker leaves and others serve, so that they are to be asked.
    /// - Throws: `SystemError` when the system gives no thread.
    public func start(leavesToOthers: @escaping @Sendable () -> Bool) throws(SystemError) {
        guard !isStarted else { return }
        try Thread.start(name: "admin") { [self] in run(leavesToOthers) }
        isStarted = true
    }

    /// Lets the answers under way leave, and takes no more. Waits for that, but not for long. For the worker's main
    /// thread.
    public func stop() {
        guard isStarted else { return }
        isStopping.store(true, ordering: .releasing)
        waker.wake()
        let deadline = Clock.now() + Self.patience
        while hasStopped.load(ordering: .acquiring) == 0 {
            let now = Clock.now()
            guard now < deadline else { return }
            Futex.wait(hasStopped, while: 0, timeout: deadline - now)
        }
    }

    private func run(_ leavesToOthers: () -> Bool) {
        // The one thread that ever drives this reactor.
        let baton = Baton()
        while true {
            reactor.poll(baton, milliseconds: reactor.isClosing ? 10 : 1000)
            while let exchange = reactor.next(baton, on: bench) {
                let (answer, mayPersist) = responder.respond(to: exchange)
                exchange.answer(answer, body: responder.text.bytes, mayPersist: mayPersist && !reactor.isClosing)
                responder.act()
                reactor.finish(exchange.end(), baton)
            }
            // They speak of clients of this listener alone, who have their answers.
            _ = reactor.takeNotices(baton)
            _ = reactor.takeReleases(baton)
            if isStopping.load(ordering: .acquiring) || leavesToOthers() {
                reactor.beginClosing(baton, takingBacklog: false)
                if reactor.unsettledCount(baton) == 0 { break }
            }
            if reactor.isBroken { break }
        }
        hasStopped.store(1, ordering: .releasing)
        Futex.wake(hasStopped)
    }
}
