internal import HTTPWire
internal import Platform
internal import ProxyWire
internal import Telemetry
internal import Transport

/// What the operator asks, and the answers.
struct AdminResponder: ~Copyable {
    let configuration: AdminConfiguration
    /// The body of the answer.
    var text = TextBuffer(capacity: 16_384)
    private var memory = MemoryLedger()
    /// What the master is told once the answer is on its way.
    private var pending: Signal?

    init(_ configuration: AdminConfiguration) {
        self.configuration = configuration
    }

    /// Makes every kind of answer once.
    mutating func warmUp() {
        writeMetrics(.prometheus)
        writeMetrics(.openMetrics)
        writeStatus()
        _ = MetricsFormat(accept: nil)
        text.removeAll()
    }

    /// Writes the answer's body to ``text``.
    ///
    /// - Returns: the rest of it, and whether the connection may serve another request.
    mutating func respond(to exchange: borrowing Exchange) -> (OwnAnswer, mayPersist: Bool) {
        text.removeAll()
        pending = nil
        guard mayAsk(exchange.client) else {
            text.append("this address may not ask here (admin_allow_ips)\n")
            return (OwnAnswer("403 Forbidden"), false)
        }
        let query = query(of: exchange)
        // Of two masters with one socket, while one replaces the other, a client may mean one.
        if let master = query["master"], master != "\(configuration.arbiter)" {
            text.append("another master was meant\n")
            return (OwnAnswer("421 Misdirected Request"), false)
        }
        let method = exchange.head.knownMethod
        let path = String(decoding: exchange.bytes(exchange.head.path), as: UTF8.self)
        if path.hasPrefix("/ctl/") {
            guard method == .post else { return refused(allow: "POST") }
            return (control(path.dropFirst(5), query: query), true)
        }
        guard method == .get || method == .head else { return refused(allow: "GET, HEAD") }
        switch path {
        case "/": return (list(), true)
        case "/health":
            text.append("ok\n")
            return (OwnAnswer("200 OK"), true)
        case "/ready": return (ready(), true)
        case "/metrics":
            let format = MetricsFormat(accept: exchange.field(.accept))
            writeMetrics(format)
            return (OwnAnswer("200 OK", contentType: format.contentType), true)
        case "/status":
            writeStatus()
            return (OwnAnswer("200 OK", contentType: "application/json"), true)
        case "/stacks": return (stacks(of: query), true)
        default: return (missing(), true)
        }
    }

    /// Does what was asked for, now that the answer is on its way.
    mutating func act() {
        guard let signal = pending else { return }
        pending = nil
        do throws(SystemError) {
            try Process.send(signal, to: configuration.arbiter)
        } catch {
            // Workers that changed their user may not signal it: it listens to them in another way.
            configuration.order(signal)
        }
    }

    // MARK: Who and what

    private func mayAsk(_ client: SocketAddress) -> Bool {
        switch client {
        case .unix: true
        case .ipv4(let address, _): mayAsk(.v4(address))
        case .ipv6(let address, _): mayAsk(IPAddress.v6(address).unmapped)
        }
    }

    private func mayAsk(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let number) where number >> 24 == 127: true
        case .v6(1): true
        default: configuration.allowed.contains(address)
        }
    }

    private func query(of exchange: borrowing Exchange) -> AdminQuery {
        AdminQuery(String(decoding: exchange.bytes(exchange.head.query), as: UTF8.self))
    }

    private mutating func refused(allow: StaticString) -> (OwnAnswer, Bool) {
        text.append("method not allowed\n")
        return (OwnAnswer("405 Method Not Allowed", allow: allow), true)
    }

    private mutating func missing() -> OwnAnswer {
        text.append("not found\n")
        return OwnAnswer("404 Not Found")
    }

    private mutating func list() -> OwnAnswer {
        text.append("/health\n/ready\n/metrics\n/status\n")
        if configuration.isUnix { text.append("/stacks?pid=PID\n/ctl/\n") }
        return OwnAnswer("200 OK")
    }

    // MARK: Answers

    private mutating func ready() -> OwnAnswer {
        let readiness = configuration.scoreboard.readiness(at: Clock.now(), window: configuration.readyWindow)
        text.append(readiness.name)
        text.append(UInt8(ascii: "\n"))
        return OwnAnswer(readiness == .ready ? "200 OK" : "503 Service Unavailable")
    }

    private mutating func writeMetrics(_ format: MetricsFormat) {
        let snapshot = snapshot()
        format.write(
            MetricsInput(
                snapshot: snapshot, now: Clock.now(), version: configuration.version, refusals: RefusalTable.names,
                memory: memory(of: snapshot), listeners: queues()),
            to: &text)
    }

    private mutating func writeStatus() {
        let snapshot = snapshot()
        StatusDocument(
            snapshot: snapshot, now: Clock.now(), version: configuration.version, settings: configuration.settings,
            memory: memory(of: snapshot), listeners: queues()
        ).write(to: &text)
    }

    private func snapshot() -> ScoreboardSnapshot {
        configuration.scoreboard.snapshot(relayBytes: configuration.relay.pendingByteCount)
    }

    private mutating func memory(of snapshot: ScoreboardSnapshot) -> [MetricsInput.Memory] {
        memory.memory(of: snapshot.workers.filter { $0.process > 0 }.map { ($0.cell, $0.process) }, at: Clock.now())
    }

    private func queues() -> [MetricsInput.Listener] {
        configuration.listeners.map { listener in
            let queue = listener.descriptor.listenQueue()
            return MetricsInput.Listener(
                address: listener.address, backlog: queue?.waiting, backlogLimit: queue?.limit)
        }
    }

    private mutating func stacks(of query: AdminQuery) -> OwnAnswer {
        guard configuration.isUnix else { return onlyUnix() }
        guard let desk = configuration.stacks else {
            text.append("the system gave no means to ask for stacks\n")
            return OwnAnswer("503 Service Unavailable")
        }
        let workers = configuration.scoreboard.snapshot().workers
        guard let worker = workers.first(where: { "\($0.process)" == query["pid"] && $0.process > 0 }) else {
            text.append("no worker has this process id\n")
            return OwnAnswer("404 Not Found")
        }
        switch desk.ask(cell: worker.cell, process: worker.process) {
        case .orderly(let bytes):
            text.append(bytes)
            return OwnAnswer("200 OK")
        case .forced(let bytes):
            text.append("Nobody gave up Python's lock: this was read without it.\n\n")
            text.append(bytes)
            return OwnAnswer("200 OK")
        case .notListening:
            text.append("the worker cannot be asked yet, or not any more\n")
            return OwnAnswer("503 Service Unavailable")
        case .silent:
            text.append("the worker does not answer: it is stopped, or gets no processor\n")
            return OwnAnswer("504 Gateway Timeout")
        case .beingAsked:
            text.append("others are asking this worker: try again\n")
            return OwnAnswer("503 Service Unavailable")
        }
    }

    private mutating func onlyUnix() -> OwnAnswer {
        text.append("only on a Unix socket (admin_bind = \"unix:PATH\")\n")
        return OwnAnswer("403 Forbidden")
    }

    // MARK: Control

    private mutating func control(_ command: Substring, query: AdminQuery) -> OwnAnswer {
        guard configuration.isUnix else { return onlyUnix() }
        guard let order = AdminOrder(command, query) else { return missing() }
        switch order {
        case .endWorker(let process):
            guard configuration.scoreboard.snapshot().workers.contains(where: { $0.process == process }) else {
                text.append("no worker has this process id\n")
                return OwnAnswer("404 Not Found")
            }
            guard (try? Process.send(.terminate, to: process)) != nil else {
                text.append("the worker is gone, or runs as another user\n")
                return OwnAnswer("409 Conflict")
            }
        case .tellMaster(let signal): pending = signal
        }
        text.append("ok\n")
        return OwnAnswer("202 Accepted")
    }
}
