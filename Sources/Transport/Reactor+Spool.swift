internal import HTTPWire
internal import Platform
public import Scheduling
internal import Synchronization

/// The disk, and the budgets of memory and disk.
extension Reactor {
    // MARK: The disk

    /// Takes back what the disk's thread has done. Before each poll: what comes later has left a wake-up.
    @inline(__always)
    func settleDisk() {
        guard spool.hasReturned else { return }
        for returned in spool.takeReturned() { settleDisk(returned.connection) }
    }

    private func settleDisk(_ connection: Connection) {
        switch connection.phase {
        case .closed:
            connection.closeBehindDisk()
        case .body(let body):
            do throws(SpoolFault) {
                try body.receipt.endWrite(now: now, isFast: isFast(connection))
            } catch {
                return refuseBody(connection, error, head: body.head.bytes)
            }
            // Before more comes that would have to be written.
            if isParting, !body.receipt.isComplete, sendOff(connection) { return }
            setDeadline(connection, after: configuration.timeouts.body)
            // It may be complete now, which takes a bench.
            enqueue(connection)
        case .running, .draining:
            // What comes next is bulk: it waits for those who perhaps want a word only.
            enqueue(connection)
        case .preamble, .idle, .head, .held, .discarding, .lingering:
            break
        }
    }

    /// A body has no place.
    func refuseBody(_ connection: Connection, _ fault: SpoolFault, head: UnsafeRawBufferPointer) {
        switch fault {
        case .limitReached:
            noteScarcity(
                "Request bodies are refused: the files of all workers have as much as --spool-limit lets them.")
            refuse(connection, WireError(.spoolFull), head: head)
        case .system(let cause):
            let failure = SpoolFailure(cause: cause, directory: configuration.body.spoolDirectory)
            note(.error, within: &unkeptBodyLines, failure.description)
            refuse(connection, WireError(failure.fault), head: head)
        }
    }

    // MARK: Memory

    /// Counts what a connection has in memory by now.
    func charge(_ connection: Connection) {
        switch connection.phase {
        case .head(let head):
            connection.memoryCharge.change(heads: head.bytes.footprint, bodies: 0, in: memory)
        case .body(let body):
            connection.memoryCharge.change(heads: body.head.footprint, bodies: body.receipt.memoryCount, in: memory)
        case .held(let request):
            var bodies = 0
            if case .memory(let store) = request.body { bodies = store.count }
            connection.memoryCharge.change(heads: request.received.store.footprint, bodies: bodies, in: memory)
        case .preamble, .idle, .running, .draining, .discarding, .lingering, .closed:
            discharge(connection)
        }
        if memory.isExceeded { relieveMemory(sparing: connection) }
    }

    func discharge(_ connection: Connection) { connection.memoryCharge.change(heads: 0, bodies: 0, in: memory) }

    /// Closes the connections that have made the least progress until there is room again.
    ///
    /// What requests in the application have does not count: their responses are about to go to files.
    ///
    /// - Parameter spared: the one that is being read just now.
    func relieveMemory(sparing spared: Connection?) {
        guard now >= nextRelief, let limit = memory.limit else { return }
        while memory.isExceeded {
            let (connection, bytes) = whoWastesMemory(sparing: spared)
            guard bytes > limit, let connection else {
                // To look at all of them for each read would cost too much.
                nextRelief = now &+ .milliseconds(10)
                return
            }
            noteScarcity("The memory for clients is used up (--buffer-memory): the slowest connections are closed.")
            close(connection)
        }
    }

    /// - Returns: who has made the least progress, and how many bytes all have that are not in the application.
    private func whoWastesMemory(sparing spared: Connection?) -> (connection: Connection?, bytes: Int) {
        var found: (connection: Connection, since: Nanoseconds)?
        var bytes = 0
        for connection in connections {
            bytes += connection.memoryCharge.heads + connection.memoryCharge.bodies
            if case .draining = connection.phase { bytes += connection.outbox.memoryCount }
            guard connection !== spared, let since = wastesMemory(connection), since < found?.since ?? .max else {
                continue
            }
            found = (connection, since)
        }
        return (found?.connection, bytes)
    }

    /// Since when a connection that has memory has made no progress; nil for one that has none, or is not to blame. Its
    /// deadline tells.
    private func wastesMemory(_ connection: Connection) -> Nanoseconds? {
        let timeout: Nanoseconds
        var bytes = connection.memoryCharge.heads + connection.memoryCharge.bodies
        switch connection.phase {
        case .head: timeout = configuration.timeouts.head
        case .body(let body):
            // What is on its way to the disk leaves memory by itself.
            if body.receipt.isAtDisk { return nil }
            timeout = configuration.timeouts.body
        case .draining:
            timeout = configuration.timeouts.write
            bytes = connection.outbox.memoryCount
        default: return nil
        }
        guard bytes >= Self.memoryWorthAClose else { return nil }
        // Without a time limit nobody knows.
        return connection.deadline == 0 ? 0 : connection.deadline &- timeout
    }

    /// Bytes; to close a connection for less frees nothing.
    private static let memoryWorthAClose = 4096

    private func noteScarcity(_ text: String) {
        guard now >= nextScarcityNotice else { return }
        nextScarcityNotice = now &+ .seconds(10)
        note(.warning, text)
    }

    // MARK: Runners that wait for clients

    /// When a request has waited for a runner for too long, the runner that has waited longest for its client gets rid
    /// of that, if it has been patient with it.
    func cutLongestWait() {
        guard configuration.responseWait > 0, case .held(let request)? = held.first?.phase,
            now >= request.since &+ Self.patience
        else { return }
        var found: (connection: Connection, wait: Nanoseconds)?
        for connection in connections {
            guard case .running = connection.phase, let wait = connection.clientWait(at: now),
                wait > configuration.responseWait, wait > found?.wait ?? 0
            else { continue }
            found = (connection, wait)
        }
        guard let (connection, wait) = found else { return }
        note(
            .warning,
            "A client took its response so slowly that its runner waited for \(wait / 1_000_000_000) s, while another "
                + "request waits for a runner: its connection is cut (--response-wait).")
        // Its runner finds out, and forgets it. Until then it is not found again.
        connection.clientWait.store(0, ordering: .relaxed)
        connection.noteClientWait(began: now)
        connection.channel.socket.shutdownBoth()
    }

    /// How long a request waits for a runner before anybody has to give way.
    private static let patience: Nanoseconds = .seconds(1)

    // MARK: Figures

    /// What there is of memory and disk, and how much of it is used.
    public struct Budgets: Equatable, Sendable {
        /// Bytes in memory.
        public let heads: Int
        public let bodies: Int
        public let responses: Int
        /// What they may be together; nil for any number.
        public let memoryLimit: Int?
        /// Bytes in the files of all workers; not counted where there is no limit.
        public let spooled: Int
        public let spoolLimit: Int?
    }

    public func budgets(_ baton: borrowing Baton) -> Budgets {
        Budgets(
            heads: memory.bytes(for: .heads), bodies: memory.bytes(for: .bodies),
            responses: memory.bytes(for: .responses), memoryLimit: memory.limit,
            spooled: spool.allowance.used, spoolLimit: spool.allowance.limit)
    }
}
