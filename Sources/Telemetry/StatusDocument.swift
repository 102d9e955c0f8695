/// `/status`: what the server is, and what it is doing right now, as JSON (docs/scoreboard.md has the schema).
///
/// It holds no header values and no query strings: the scoreboard has neither.
public struct StatusDocument: Sendable {
    /// Grows with every change that a reader of the former could not take.
    public static let schema = 1

    public var snapshot: ScoreboardSnapshot
    /// The monotonic clock, nanoseconds.
    public var now: UInt64
    public var version: String
    /// Settings that differ from their defaults: names, and values as their `--print-config` text. Secrets are the
    /// caller's to leave out.
    public var settings: [(name: String, value: String)]
    public var memory: [MetricsInput.Memory]
    public var listeners: [MetricsInput.Listener]

    public init(
        snapshot: ScoreboardSnapshot, now: UInt64, version: String, settings: [(name: String, value: String)] = [],
        memory: [MetricsInput.Memory] = [], listeners: [MetricsInput.Listener] = []
    ) {
        self.snapshot = snapshot
        self.now = now
        self.version = version
        self.settings = settings
        self.memory = memory
        self.listeners = listeners
    }

    public func write(to out: inout TextBuffer) {
        var json = JSONWriter()
        json.object(&out) { json, out in
            json.field("schema", &out) { $0.append(Self.schema) }
            json.object("server", &out, writeServer)
            json.object("settings", &out) { json, out in
                for setting in settings { json.field(setting.name, text: setting.value, &out) }
            }
            json.list("listeners", &out, listeners) { json, out, listener in
                json.field("address", text: listener.address, &out)
                json.field("backlog", listener.backlog, &out)
                json.field("backlog_limit", listener.backlogLimit, &out)
            }
            json.object("totals", &out, writeTotals)
            json.list("workers", &out, snapshot.workers, writeWorker)
            let exchanges: [(WorkerSnapshot?, ExchangeSnapshot)] =
                snapshot.workers.flatMap { worker in worker.exchanges.map { (worker, $0) } }
                + snapshot.relayed.map { (nil, $0) }
            json.list("exchanges", &out, exchanges.sorted { $0.1.began < $1.1.began }, writeExchange)
            json.object("unlisted", &out) { json, out in
                for phase in [ExchangePhase.waiting, .response] {
                    json.field(phase.name.description, snapshot.unlistedCount(phase), &out)
                }
            }
            let recent = snapshot.slowest.filter { age($0.ended) <= ScoreboardCell.slowMemory }
            json.list("slowest", &out, recent.sorted { $0.duration > $1.duration }, writeSlow)
        }
        out.append(UInt8(ascii: "\n"))
    }

    private func age(_ moment: UInt64) -> UInt64 { now > moment ? now - moment : 0 }

    private func writeServer(_ json: inout JSONWriter, _ out: inout TextBuffer) {
        json.field("version", text: version, &out)
        json.field("pid", Int(snapshot.arbiterProcess), &out)
        json.field("started", &out) {
            $0.append(UInt8(ascii: "\""))
            $0.append(timestamp: snapshot.started, zone: 0)
            $0.append(UInt8(ascii: "\""))
        }
        json.field("heartbeat_age_s", seconds: age(snapshot.heartbeat), &out)
        json.field("generation", &out) { $0.append(snapshot.generation) }
        json.field("workers_wanted", snapshot.workersWanted, &out)
        json.field("reloads", &out) { $0.append(snapshot.reloads) }
        json.field("worker_starts", &out) { $0.append(snapshot.workerStarts) }
        json.object("worker_ends", &out) { json, out in
            for end in WorkerEnd.allCases {
                json.field(end.name.description, &out) { $0.append(snapshot.workerEnds[Int(end.rawValue)]) }
            }
        }
    }

    private func writeTotals(_ json: inout JSONWriter, _ out: inout TextBuffer) {
        let total = snapshot.total
        json.field("requests", &out) { $0.append(total.requests) }
        json.object("responses", &out) { json, out in
            for status in StatusClass.allCases {
                json.field(status.name.description, &out) {
                    $0.append(MethodClass.allCases.reduce(0) { $0 + total.requests($1, status) })
                }
            }
        }
        json.field("accepted", &out) { $0.append(total.accepted) }
        json.field("relayed", &out) { $0.append(total.relayedOut) }
        json.field("relay_full", &out) { $0.append(total.relayFull) }
        json.field("bytes_received", &out) { $0.append(total.bytesIn) }
        json.field("bytes_sent", &out) { $0.append(total.bytesOut) }
        json.field("dropped_log_lines", &out) { $0.append(total.droppedLogLines) }
    }

    private func writeWorker(_ json: inout JSONWriter, _ out: inout TextBuffer, _ worker: WorkerSnapshot) {
        let presence = worker.presence
        json.field("worker", worker.cell, &out)
        json.field("pid", Int(worker.process), &out)
        json.field("generation", &out) { $0.append(worker.generation) }
        json.field("lifetime", text: presence.lifetime.name.description, &out)
        json.field("age_s", seconds: age(worker.booted), &out)
        json.field("heartbeat_age_s", seconds: age(worker.heartbeat), &out)
        json.field("accepting", &out) { $0.append(presence.accepting ? "true" : "false") }
        json.field("runners", presence.runners, &out)
        json.field("busy", presence.busy, &out)
        json.field("waiting", presence.waiting, &out)
        json.field("requests", &out) { $0.append(worker.counters.requests) }
        json.object("connections", &out) { json, out in
            for place in ConnectionClass.allCases {
                json.field(place.name.description, worker.connections[Int(place.rawValue)], &out)
            }
        }
        let memory = memory.first { $0.cell == worker.cell }
        json.field("resident_bytes", memory.map { Int(clamping: $0.resident) }, &out)
        json.field("proportional_bytes", memory?.proportional.map { Int(clamping: $0) }, &out)
        json.field("spool_bytes", worker.spoolBytes, &out)
        json.field("buffer_bytes", worker.bufferBytes, &out)
        json.field("unreadable_slots", worker.unreadableSlots, &out)
    }

    private func writeExchange(
        _ json: inout JSONWriter, _ out: inout TextBuffer, _ item: (worker: WorkerSnapshot?, exchange: ExchangeSnapshot)
    ) {
        let exchange = item.exchange
        json.field("worker", item.worker?.cell, &out)
        json.field("pid", item.worker.map { Int($0.process) }, &out)
        json.field("thread", exchange.slot == nil ? nil : Int(exchange.thread), &out)
        json.field("age_s", seconds: age(exchange.began), &out)
        json.field("phase", text: exchange.phase.name.description, &out)
        json.field("phase_age_s", seconds: age(exchange.phaseBegan), &out)
        json.field("client_wait_s", seconds: exchange.clientWaitBegan.map(age), &out)
        writeTarget(exchange.method, exchange.path, exchange.pathByteCount, exchange.client, &json, &out)
        json.field("request", exchange.number, &out)
    }

    private func writeSlow(_ json: inout JSONWriter, _ out: inout TextBuffer, _ slow: SlowExchange) {
        json.field("duration_s", seconds: slow.duration, &out)
        json.field("ended_s_ago", seconds: age(slow.ended), &out)
        json.field("status", slow.status == 0 ? nil : slow.status, &out)
        writeTarget(slow.method, slow.path, slow.pathByteCount, slow.client, &json, &out)
    }

    private func writeTarget(
        _ method: MethodClass, _ path: [UInt8], _ pathByteCount: Int, _ client: ScoreboardClient,
        _ json: inout JSONWriter, _ out: inout TextBuffer
    ) {
        json.field("method", text: method.name.description, &out)
        json.field("path", &out) { out in path.withUnsafeBytes { out.append(json: $0) } }
        json.field("path_is_cut", &out) { $0.append(path.count < pathByteCount ? "true" : "false") }
        json.field("client", &out) {
            $0.append(UInt8(ascii: "\""))
            $0.append(client)
            $0.append(UInt8(ascii: "\""))
        }
    }
}

/// Puts commas and quotes where JSON wants them.
struct JSONWriter {
    private var isFirst = true

    mutating func object(_ out: inout TextBuffer, _ fill: (inout JSONWriter, inout TextBuffer) -> Void) {
        let outer = isFirst
        isFirst = true
        out.append(UInt8(ascii: "{"))
        fill(&self, &out)
        out.append(UInt8(ascii: "}"))
        isFirst = outer
    }

    private mutating func name(_ name: String, _ out: inout TextBuffer) {
        if !isFirst { out.append(", ") }
        isFirst = false
        quote(name, &out)
        out.append(": ")
    }

    private func quote(_ text: String, _ out: inout TextBuffer) {
        var text = text
        text.withUTF8 { out.append(json: UnsafeRawBufferPointer($0)) }
    }

    mutating func field(_ name: String, _ out: inout TextBuffer, _ value: (inout TextBuffer) -> Void) {
        self.name(name, &out)
        value(&out)
    }

    mutating func field(_ name: String, text: String, _ out: inout TextBuffer) {
        self.name(name, &out)
        quote(text, &out)
    }

    mutating func field(_ name: String, _ number: Int?, _ out: inout TextBuffer) {
        field(name, &out) { if let number { $0.append(number) } else { $0.append("null") } }
    }

    mutating func field(_ name: String, seconds nanoseconds: UInt64?, _ out: inout TextBuffer) {
        field(name, &out) { if let nanoseconds { $0.append(secondsOf: nanoseconds) } else { $0.append("null") } }
    }

    mutating func object(
        _ name: String, _ out: inout TextBuffer, _ fill: (inout JSONWriter, inout TextBuffer) -> Void
    ) {
        self.name(name, &out)
        object(&out, fill)
    }

    mutating func list<Item>(
        _ name: String, _ out: inout TextBuffer, _ items: [Item],
        _ fill: (inout JSONWriter, inout TextBuffer, Item) -> Void
    ) {
        self.name(name, &out)
        out.append(UInt8(ascii: "["))
        for (index, item) in items.enumerated() {
            if index > 0 { out.append(", ") }
            object(&out) { json, out in fill(&json, &out, item) }
        }
        out.append(UInt8(ascii: "]"))
    }
}
