import HTTPWire
import Platform
import Scheduling
import Testing

@testable import Transport

/// Hosts a reactor as another event loop would: its own poller watches the reactor's descriptor, and a turn is taken
/// when that is readable, and only then.
final class ForeignLoop {
    let reactor: Reactor
    let bench: Workbench
    let baton = Baton()
    let port: UInt16
    /// What `takeReleases` gave, in order.
    private(set) var releases: [UnsafeMutableRawPointer] = []
    /// Requests handled, as `Answer.line` describes them.
    var handled: [String] = []
    /// Runs for each request. The connection belongs to it until `finish`.
    var handle: (Connection, ForeignLoop) -> Void = { $1.answer($0) }

    /// When the requests that run were handed out.
    private var began: [ObjectIdentifier: Nanoseconds] = [:]
    private let poller: Poller
    private let listener: Descriptor

    /// - Parameters:
    ///   - sharing: listens on the same socket as this one.
    ///   - ownsListener: nobody else has its socket.
    ///   - commons: what it has in common with other workers.
    ///   - trust: what the word of its clients counts for.
    init(
        sharing other: ForeignLoop? = nil, ownsListener: Bool = false, trust: PeerTrust = [], commons: Commons? = nil,
        _ configure: (inout TransportConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = TransportConfiguration()
        configure(&configuration)
        if let other {
            listener = try other.listener.duplicate()
        } else {
            listener = try ListeningSocket.tcp(host: "127.0.0.1", port: 0, backlog: 64).descriptor
        }
        port = try #require(try listener.localAddress()?.port)
        reactor = try Reactor(
            configuration: configuration,
            listeners: [
                ownsListener
                    ? ListenerSocket(own: listener, beside: listener) : ListenerSocket(descriptor: listener)
            ],
            trust: { _ in trust }, commons: commons, workers: commons == nil ? 1 : 2)
        bench = Workbench(policy: configuration.policy)
        poller = try Poller(capacity: 4)
        try poller.add(reactor.descriptor, .readable, payload: 0)
        // The first turn makes the reactor watch its listeners.
        turn()
    }

    deinit {
        if reactor.hasListeners { listener.close() }
    }

    func client(receiveBuffer: Int32? = nil) throws -> LoopbackClient {
        try LoopbackClient(port: port, receiveBuffer: receiveBuffer)
    }

    func turn() {
        reactor.turn(baton, on: bench) { exchange in
            began[ObjectIdentifier(exchange.output)] = exchange.began
            handle(exchange.output, self)
        }
        releases += reactor.takeReleases(baton)
    }

    /// Seconds that nobody waits for longer than, and no more than any limit of the standard configuration.
    static let patience = 9

    /// Goes on until `isDone`, or until the time is up, which is false.
    func run(milliseconds: Int = patience * 1000, until isDone: () throws -> Bool) rethrows -> Bool {
        try drive(milliseconds: milliseconds, until: isDone) {
            if (try? poller.wait(milliseconds: 2)) ?? 0 > 0 { turn() }
        }
    }

    /// The same for the pilot's way: requests are held, not run.
    func serve(milliseconds: Int = patience * 1000, until isDone: () throws -> Bool) rethrows -> Bool {
        try drive(milliseconds: milliseconds, until: isDone) {
            reactor.poll(baton, milliseconds: 2, ignoringHeld: true)
            reactor.holdRequests(baton, on: bench)
        }
    }

    private func drive(
        milliseconds: Int, until isDone: () throws -> Bool, _ step: () -> Void
    ) rethrows -> Bool {
        let deadline = Clock.now() + .milliseconds(milliseconds)
        while try !isDone() {
            if Clock.now() > deadline { return false }
            step()
        }
        return true
    }

    /// Tells the client what was received.
    func answer(_ connection: Connection) {
        let line = Answer.line(connection, on: bench)
        handled.append(line)
        finish(connection, with: Answer.text(line), persist: bench.parser.head.isPersistent)
    }

    /// Sends what the socket takes, as a runner does, and leaves the rest to the reactor.
    func finish(_ connection: Connection, with response: String, persist: Bool) {
        Array(response.utf8).withUnsafeBytes { bytes in
            var sent = 0
            if case .processed(let count)? = try? connection.channel.send(bytes) { sent = count }
            connection.outbox.append(copying: UnsafeRawBufferPointer(rebasing: bytes[sent...]))
        }
        finish(connection, persist: persist)
    }

    func finish(_ connection: Connection, persist: Bool) {
        let began = began.removeValue(forKey: ObjectIdentifier(connection)) ?? 0
        reactor.finish(EndedExchange(connection: connection, began: began, persists: persist), baton)
    }

    // What tests ask of the reactor: the baton cannot pass through a macro.

    var notices: [Notice] { reactor.takeNotices(baton) }
    func tellOfUnsent() { reactor.tellOfUnsent(baton) }
    func leave() { reactor.leave(baton) }
    func setAccepting(_ accepts: Bool) { reactor.setAccepting(accepts, baton) }
    func share(free: Int, isStalled: Bool = false) { reactor.share(free: free, isStalled: isStalled, baton) }
    func announce(waiting: Int) {
        reactor.announce(runners: 1, busy: 1 - min(1, waiting), waiting: waiting, baton)
    }

    var isDrained: Bool { reactor.unsettledCount(baton) == 0 }
    var defersResponses: Bool { reactor.defersResponses(baton) }
    var hasHeldRequests: Bool { reactor.hasHeldRequests(baton) }

    func poll(milliseconds: Int32, ignoringHeld: Bool = false) -> Bool {
        reactor.poll(baton, milliseconds: milliseconds, ignoringHeld: ignoringHeld)
    }
}
