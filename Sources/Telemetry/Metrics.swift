/// What `/metrics` shows besides the scoreboard: what only the asked worker's system calls can tell.
public struct MetricsInput: Sendable {
    public var snapshot: ScoreboardSnapshot
    /// The monotonic clock, nanoseconds.
    public var now: UInt64
    public var version: String
    /// Error identifiers, in the order of their numbers in the scoreboard (`ScoreboardCell.countRefusal`).
    public var refusals: [String]
    /// Memory of workers, by cell.
    public var memory: [Memory]
    public var listeners: [Listener]

    public struct Memory: Sendable {
        public var cell: Int
        /// Bytes.
        public var resident: UInt64
        /// Bytes; pages that processes share are divided among them. Nil where the system does not say.
        public var proportional: UInt64?

        public init(cell: Int, resident: UInt64, proportional: UInt64?) {
            self.cell = cell
            self.resident = resident
            self.proportional = proportional
        }
    }

    public struct Listener: Sendable {
        /// As it was bound: one of few that the operator chose.
        public var address: String
        /// Connections that nobody accepted yet, and the most that may wait; nil where the system does not say.
        public var backlog: Int?
        public var backlogLimit: Int?

        public init(address: String, backlog: Int?, backlogLimit: Int?) {
            self.address = address
            self.backlog = backlog
            self.backlogLimit = backlogLimit
        }
    }

    public init(
        snapshot: ScoreboardSnapshot, now: UInt64, version: String, refusals: [String], memory: [Memory] = [],
        listeners: [Listener] = []
    ) {
        self.snapshot = snapshot
        self.now = now
        self.version = version
        self.refusals = refusals
        self.memory = memory
        self.listeners = listeners
    }
}

/// Metrics as text, in the way that the scraper asked for.
///
/// Names follow the conventions of both: base units, `_total` for counters. Every label has few values that are known
/// beforehand: classes, identifiers of our own, numbers of cells, listeners. No client and no number of restarts makes
/// series of its own.
public enum MetricsFormat: Sendable {
    /// Prometheus' text format, version 0.0.4.
    case prometheus
    /// OpenMetrics, version 1.0.0.
    case openMetrics

    public var contentType: StaticString {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// Writes everything.
    public func write(_ input: MetricsInput, to out: inout TextBuffer) {
        let snapshot = input.snapshot
        var metrics = MetricsWriter(format: self, isOpen: self == .openMetrics)
        metrics.writeServer(input, to: &out)
        metrics.writeWorkers(input, to: &out)
        metrics.writeRequests(snapshot.total, input.refusals, to: &out)
        metrics.writeConnections(snapshot, to: &out)
        metrics.writeListeners(input.listeners, to: &out)
        if self == .openMetrics { out.append("# EOF\n") }
    }
}

extension MetricsWriter {
    fileprivate mutating func writeServer(_ input: MetricsInput, to out: inout TextBuffer) {
        let snapshot = input.snapshot
        family("monoceros_build", .info, "Version of the server.", to: &out)
        sample(to: &out, ("version", input.version)) { $0.append(UInt64(1)) }
        family(
            "monoceros_start_time_seconds", .gauge, "When the master started, since 1970 (UTC).", unit: "seconds",
            to: &out)
        sample(to: &out) { $0.append(Int(snapshot.started)) }
        family("monoceros_generation", .gauge, "Newest generation of workers.", to: &out)
        sample(to: &out) { $0.append(snapshot.generation) }
        family("monoceros_reloads", .counter, "Reloads so far.", to: &out)
        sample(to: &out) { $0.append(snapshot.reloads) }
        family("monoceros_workers_wanted", .gauge, "Workers that there should be.", to: &out)
        sample(to: &out) { $0.append(snapshot.workersWanted) }
        family("monoceros_workers", .gauge, "Workers by stage of life.", to: &out)
        for lifetime in CellLifetime.allCases where lifetime != .free {
            sample(to: &out, ("lifetime", lifetime.name.description)) {
                $0.append(snapshot.workers.count { $0.presence.lifetime == lifetime })
            }
        }
        family("monoceros_worker_starts", .counter, "Workers started.", to: &out)
        sample(to: &out) { $0.append(snapshot.workerStarts) }
        family("monoceros_worker_ends", .counter, "Workers that ended, by cause.", to: &out)
        for end in WorkerEnd.allCases {
            sample(to: &out, ("cause", end.name.description)) { $0.append(snapshot.workerEnds[Int(end.rawValue)]) }
        }
    }

    fileprivate mutating func writeWorkers(_ input: MetricsInput, to out: inout TextBuffer) {
        let workers = input.snapshot.workers
        family("monoceros_runners", .gauge, "Runners of all workers, with a request and without.", to: &out)
        let busy = workers.reduce(0) { $0 + $1.presence.busy }
        sample(to: &out, ("state", "busy")) { $0.append(busy) }
        sample(to: &out, ("state", "idle")) { $0.append(max(0, workers.reduce(0) { $0 + $1.presence.runners } - busy)) }
        family("monoceros_exchanges", .gauge, "Requests under way, by phase.", to: &out)
        for phase in ExchangePhase.allCases where phase != .none {
            sample(to: &out, ("phase", phase.name.description)) { $0.append(input.snapshot.exchangeCount(phase)) }
        }
        family(
            "monoceros_exchanges_awaiting_client", .gauge, "Requests in the application that wait for their clients.",
            to: &out)
        sample(to: &out) { $0.append(input.snapshot.clientWaitCount) }
        family("monoceros_worker_accepting", .gauge, "Whether a worker takes new connections.", to: &out)
        for worker in workers {
            sample(to: &out, ("worker", "\(worker.cell)")) { $0.append(worker.presence.accepting ? 1 : 0) }
        }
        family(
            "monoceros_worker_heartbeat_age_seconds", .gauge, "Time since a worker's last sign of life.",
            unit: "seconds",
            to: &out)
        for worker in workers {
            sample(to: &out, ("worker", "\(worker.cell)")) {
                $0.append(secondsOf: input.now > worker.heartbeat ? input.now - worker.heartbeat : 0)
            }
        }
        family("monoceros_worker_age_seconds", .gauge, "Time since a worker began.", unit: "seconds", to: &out)
        for worker in workers {
            sample(to: &out, ("worker", "\(worker.cell)")) {
                $0.append(secondsOf: input.now > worker.booted ? input.now - worker.booted : 0)
            }
        }
        family("monoceros_worker_resident_memory_bytes", .gauge, "Memory of a worker (RSS).", unit: "bytes", to: &out)
        for memory in input.memory { sample(to: &out, ("worker", "\(memory.cell)")) { $0.append(memory.resident) } }
        family(
            "monoceros_worker_proportional_memory_bytes", .gauge, "Memory of a worker, shared pages divided (PSS).",
            unit: "bytes", to: &out)
        for memory in input.memory {
            guard let proportional = memory.proportional else { continue }
            sample(to: &out, ("worker", "\(memory.cell)")) { $0.append(proportional) }
        }
        family("monoceros_spool_bytes", .gauge, "Request bodies in files.", unit: "bytes", to: &out)
        sample(to: &out) { $0.append(workers.reduce(0) { $0 + $1.spoolBytes }) }
        family("monoceros_buffer_bytes", .gauge, "Bytes in buffers.", unit: "bytes", to: &out)
        sample(to: &out) { $0.append(workers.reduce(0) { $0 + $1.bufferBytes }) }
    }

    fileprivate mutating func writeRequests(
        _ total: CounterSnapshot, _ refusals: [String], to out: inout TextBuffer
    ) {
        family("monoceros_requests", .counter, "Requests, by method and class of the status.", to: &out)
        for method in MethodClass.allCases {
            for status in StatusClass.allCases {
                sample(to: &out, ("method", method.name.description), ("status", status.name.description)) {
                    $0.append(total.requests(method, status))
                }
            }
        }
        histogram(
            "monoceros_request_duration_seconds", "From the complete head until the response was handed over.",
            total.totalTime, to: &out)
        histogram(
            "monoceros_application_duration_seconds", "In the application.", total.applicationTime, to: &out)
        histogram("monoceros_runner_wait_seconds", "Waiting for a runner.", total.waitingTime, to: &out)
        family("monoceros_requests_refused", .counter, "Requests that the server refused, by identifier.", to: &out)
        for (id, name) in refusals.prefix(ScoreboardLayout.refusalLimit).enumerated() {
            sample(to: &out, ("id", name)) { $0.append(total.refusals(id)) }
        }
        family("monoceros_timeouts", .counter, "Clients and requests that took too long.", to: &out)
        for kind in TimeoutClass.allCases {
            sample(to: &out, ("kind", kind.name.description)) { $0.append(total.timeouts(kind)) }
        }
        family("monoceros_received_bytes", .counter, "Bytes received from clients.", unit: "bytes", to: &out)
        sample(to: &out) { $0.append(total.bytesIn) }
        family("monoceros_sent_bytes", .counter, "Bytes sent to clients.", unit: "bytes", to: &out)
        sample(to: &out) { $0.append(total.bytesOut) }
        family("monoceros_log_lines_dropped", .counter, "Lines that a log could not take.", to: &out)
        sample(to: &out) { $0.append(total.droppedLogLines) }
    }

    fileprivate mutating func writeConnections(_ snapshot: ScoreboardSnapshot, to out: inout TextBuffer) {
        family("monoceros_connections", .gauge, "Connections, by where they stand.", to: &out)
        for place in ConnectionClass.allCases {
            sample(to: &out, ("phase", place.name.description)) {
                $0.append(snapshot.workers.reduce(0) { $0 + $1.connections[Int(place.rawValue)] })
            }
        }
        family("monoceros_connections_accepted", .counter, "Connections accepted.", to: &out)
        sample(to: &out) { $0.append(snapshot.total.accepted) }
        family("monoceros_connections_relayed", .counter, "Connections that went from worker to worker.", to: &out)
        sample(to: &out, ("direction", "out")) { $0.append(snapshot.total.relayedOut) }
        sample(to: &out, ("direction", "in")) { $0.append(snapshot.total.relayedIn) }
        family("monoceros_relay_full", .counter, "Connections that stayed since the relay was full.", to: &out)
        sample(to: &out) { $0.append(snapshot.total.relayFull) }
    }

    fileprivate mutating func writeListeners(_ listeners: [MetricsInput.Listener], to out: inout TextBuffer) {
        family(
            "monoceros_listener_backlog", .gauge,
            "Connections that nobody accepted yet, of TCP and Unix sockets. Not there where the system does not say.",
            to: &out)
        for listener in listeners {
            guard let backlog = listener.backlog else { continue }
            sample(to: &out, ("listener", listener.address)) { $0.append(backlog) }
        }
        family("monoceros_listener_backlog_limit", .gauge, "The most connections that may wait.", to: &out)
        for listener in listeners {
            guard let limit = listener.backlogLimit else { continue }
            sample(to: &out, ("listener", listener.address)) { $0.append(limit) }
        }
    }
}
