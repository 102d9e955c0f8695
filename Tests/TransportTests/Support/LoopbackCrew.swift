import Platform
import Scheduling
import Synchronization

@testable import Transport

/// A reactor on 127.0.0.1 that several threads serve as those of a worker do, passing the baton; the application is the
/// test's. The runners' loop is that of Sources/Worker without Python; the pilot's is the same.
final class LoopbackCrew: @unchecked Sendable {
    // `@unchecked`: `reactor` and what follows it is touched by the holder of the baton alone. That is what is tested.
    private let handOver: BatonHandOver
    private let waker: Waker
    private let returns = Lock<[EndedExchange]>([])
    private let hasReturns = Atomic<Bool>(false)
    private let isDraining = Atomic<Bool>(false)
    private let isOver = Atomic<Bool>(false)
    private let living = Atomic<Int>(0)
    /// Runners that are in the application, and all.
    private let busy = Atomic<Int>(0)
    private var runners = 0
    private let application: @Sendable (Connection, Workbench) -> Bool
    private let policyBench: @Sendable () -> Workbench

    private let reactor: Reactor
    /// How often the pilot went on with the I/O itself.
    private(set) var retakings = 0

    let port: UInt16

    private let hasCommons: Bool

    /// - Parameters:
    ///   - commons: what it has in common with another crew, to which it posts what waits.
    ///   - application: answers on the connection; whether that persists.
    init(commons: Commons? = nil, application: @escaping @Sendable (Connection, Workbench) -> Bool) throws {
        hasCommons = commons != nil
        let configuration = TransportConfiguration()
        let listener = try ListeningSocket.tcp(host: "127.0.0.1", port: 0, backlog: 64).descriptor
        port = try listener.localAddress()?.port ?? 0
        reactor = try Reactor(
            configuration: configuration, listeners: [ListenerSocket(descriptor: listener)], trust: { _ in [] },
            commons: commons, workers: commons == nil ? 1 : 2)
        let waker = reactor.waker
        self.waker = waker
        handOver = BatonHandOver(interruptPilot: { waker.wake() })
        self.application = application
        policyBench = { Workbench(policy: configuration.policy) }
    }

    func start(runners: Int) throws {
        self.runners = runners
        for _ in 0..<runners { try start("runner") { $0.run() } }
        try start("pilot") { PilotLoop($0.handOver, Pilot(crew: $0, bench: $0.policyBench())).run() }
    }

    private func start(_ name: String, _ body: @escaping @Sendable (LoopbackCrew) -> Void) throws {
        living.add(1, ordering: .relaxed)
        try Thread.start(name: name) { [self] in
            body(self)
            living.subtract(1, ordering: .releasing)
        }
    }

    /// Has the threads leave. False when one does not.
    func end(seconds: Int) -> Bool {
        isDraining.store(true, ordering: .releasing)
        waker.wake()
        handOver.wakePilot()
        let word = Atomic<UInt32>(0)
        let deadline = Clock.now() + .seconds(seconds)
        while living.load(ordering: .acquiring) > 0, Clock.now() < deadline {
            Futex.wait(word, while: 0, timeout: .milliseconds(1))
        }
        return living.load(ordering: .acquiring) == 0
    }

    private func settle(_ baton: borrowing Baton) {
        guard hasReturns.load(ordering: .acquiring) else { return }
        let items = returns.withLock { items in
            hasReturns.store(false, ordering: .releasing)
            let all = items
            items = []
            return all
        }
        for item in items { reactor.finish(item, baton) }
    }

    // MARK: Runners

    private func run() {
        let bench = policyBench()
        while true {
            guard var baton = handOver.take(timeout: .seconds(1)) else { continue }
            holding: while true {
                while let exchange = next(baton, on: bench) {
                    busy.add(1, ordering: .relaxed)
                    let loan = handOver.lend(baton)
                    let persists = application(exchange.output, bench)
                    busy.subtract(1, ordering: .relaxed)
                    var ended = exchange.end()
                    ended.persists = persists
                    guard let recovered = handOver.recover(loan) else {
                        returns.withLock { [ended] in $0.append(ended) }
                        hasReturns.store(true, ordering: .releasing)
                        waker.wake()
                        break holding
                    }
                    baton = recovered
                    reactor.finish(ended, baton)
                }
                settle(baton)
                if isDone(baton) {
                    isOver.store(true, ordering: .releasing)
                    handOver.wakePilot()
                    handOver.offer(baton)
                    return
                }
                announce(baton)
                reactor.poll(baton, milliseconds: 1000)
            }
        }
    }

    private func next(_ baton: borrowing Baton, on bench: Workbench) -> Exchange? {
        if reactor.readsAhead(baton) { reactor.holdRequests(baton, on: bench) }
        guard let exchange = reactor.next(baton, on: bench) else { return nil }
        if reactor.mayShare(baton) {
            reactor.share(free: max(0, runners - busy.load(ordering: .relaxed) - 1), isStalled: false, baton)
        }
        return exchange
    }

    private func announce(_ baton: borrowing Baton) {
        let busy = busy.load(ordering: .relaxed)
        reactor.announce(
            runners: runners, busy: busy, waiting: runners - busy, isLeaving: isDraining.load(ordering: .acquiring),
            baton)
    }

    private func isDone(_ baton: borrowing Baton) -> Bool {
        guard isDraining.load(ordering: .acquiring) else { return false }
        reactor.leave(baton)
        return reactor.unsettledCount(baton) == 0 && reactor.adoptLeftBehind(baton) == 0
    }

    // MARK: The pilot

    private struct Pilot: PilotDuties {
        let crew: LoopbackCrew
        let bench: Workbench

        var tick: Nanoseconds { .microseconds(200) }
        var idleGlances: Int { 3 }
        var isOver: Bool { crew.isOver.load(ordering: .acquiring) }
        func check() -> Nanoseconds { .seconds(1) }
        func beginWatching() {}
        func excuses() -> Bool { false }
        func setAccepting(_ accepts: Bool, _ baton: borrowing Baton) {
            if !accepts { crew.retakings += 1 }
            crew.reactor.setAccepting(accepts, baton)
        }
        func doWork(_ baton: borrowing Baton) {
            crew.reactor.holdRequests(baton, on: bench)
            crew.settle(baton)
            let free = crew.runners - crew.busy.load(ordering: .relaxed)
            if crew.hasCommons { crew.reactor.share(free: free, isStalled: true, baton) }
            if crew.isDraining.load(ordering: .acquiring) { crew.reactor.leave(baton) }
        }
        func hasToLeave(_ baton: borrowing Baton) -> Bool { isOver }
        func poll(_ baton: borrowing Baton, timeout: Nanoseconds) {
            crew.announce(baton)
            crew.reactor.poll(baton, milliseconds: 1000, ignoringHeld: true)
        }
    }
}
