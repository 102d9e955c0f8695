internal import HTTPServer
internal import HTTPWire
internal import Platform
public import Scheduling
public import Telemetry

/// What is counted where others see it.
extension Reactor {
    /// A request was served here. Whoever has the baton writes, however the response was made.
    @inline(__always)
    func note(_ ended: EndedExchange, in cell: ScoreboardCell) {
        let completed = ended.connection.completed
        cell.countRequest(
            ended.method, status: ended.status, waited: ended.began &- min(ended.began, completed),
            application: now &- ended.began, total: now &- min(now, completed))
        cell.countBytes(in: ended.receivedCount, out: ended.sentCount)
    }
}

/// What is looked at now and then.
extension Reactor {
    /// An exchange that outlasted a tick is over: it may be one of the slowest.
    public func noteSlow(_ copy: ExchangeCopy, _ ended: EndedExchange, _ baton: borrowing Baton) {
        sharing?.commons.cell.noteSlow(copy, status: ended.status, now: now)
    }

    /// Shows how many connections are in which phase. Once a second.
    @inline(never)
    func takeCensus() {
        guard let sharing else { return }
        sharing.nextCensus = now + Sharing.censusInterval
        sharing.commons.cell.setBudgets(spool: configuration.spoolAllowance.ownBytes, buffers: memory.total)
        var counts = [Int](repeating: 0, count: Phase.Kind.allCases.count)
        for connection in connections { counts[Int(connection.phase.kind.rawValue)] += 1 }
        // The two lists have the same order; what is closed is not shown.
        for place in ConnectionClass.allCases {
            sharing.commons.cell.setConnections(place, counts[Int(place.rawValue)])
        }
    }

    /// A client's time is up.
    func countTimeout(_ connection: Connection) {
        guard let sharing else { return }
        let kind: TimeoutClass? =
            switch connection.phase {
            case .idle, .preamble(nil): .idle
            case .preamble, .head: .head
            case .body: .body
            case .draining: .write
            case .lingering: .linger
            case .discarding, .held, .running, .closed: nil
            }
        if let kind { sharing.commons.cell.countTimeout(kind) }
    }
}

extension MethodClass {
    init(_ method: Method) {
        self =
            switch method {
            case .get: .get
            case .head: .head
            case .post: .post
            case .put: .put
            case .patch: .patch
            case .delete: .delete
            case .options: .options
            default: .other
            }
    }
}

extension ScoreboardClient {
    init(_ address: SocketAddress) {
        switch address {
        case .ipv4(let address, let port): self = .ipv4(address, port: port)
        case .ipv6(let address, let port): self = .ipv6(address, port: port)
        case .unix: self = .unix
        }
    }
}

extension Exchange {
    /// A runner has it and is about to call the application: others see it from now on.
    ///
    /// - Parameters:
    ///   - slot: the runner's number in the cell.
    ///   - thread: the kernel's number of the runner's thread.
    @inline(__always)
    public func show(in cell: ScoreboardCell, slot: Int, thread: Int32) {
        cell.beginExchange(
            slot, phase: .application, method: MethodClass(bench.parser.head.knownMethod),
            path: bench.bytes(bench.parser.head.path), client: ScoreboardClient(connection.peer), thread: thread,
            number: connection.session.requestCount, began: connection.completed, now: began)
    }
}
