internal import HTTPServer
internal import Platform
public import Scheduling

/// The end of a worker's connections.
extension Reactor {
    /// Closes the listeners and idle connections, and lets each of the others finish the request it is in.
    ///
    /// - Parameter takingBacklog: connections that wait in the backlog are accepted first: closing the last copy of a
    ///   listener resets them.
    public func beginClosing(_ baton: borrowing Baton, takingBacklog: Bool = true) {
        guard !isClosing else { return }
        for index in listeners.indices where takingBacklog && hasListeners {
            while !admission.isFull(count: connections.count), (try? takeFromBacklog(of: index)) != nil {}
        }
        // From now on nobody posts to this worker: what is in the relay is all there is.
        announceLeaving()
        isClosing = true
        updateAccepting()
        closeListeners()
        // Whoever takes the other backlogs cannot take these.
        endOwnListeners()
        if takingBacklog { adoptLeftBehind(baton) }
        for connection in connections {
            // A request may have come this very moment: it is read before the connection is given up.
            if connection.awaitsRequest { enqueue(connection) }
        }
    }

    /// Whether a connection was accepted a moment ago and its first request is probably on its way: its client would
    /// see it end without an answer. It gets that moment, and no more.
    func isFresh(_ connection: Connection) -> Bool {
        guard connection.session.requestCount == 0, connection.deadline != 0 else { return false }
        let accepted = connection.deadline &- configuration.timeouts.head
        guard now < accepted &+ Self.freshTime else { return false }
        setDeadline(connection, after: Self.freshTime)
        return true
    }

    /// Nanoseconds from accept to the first bytes of a request that a worker waits for at its end.
    private static let freshTime = Nanoseconds.milliseconds(300)

    /// Closes this worker's copies of the listeners that others have too, unless the process goes on to have workers
    /// forked from it.
    func closeListeners() {
        guard hasListeners else { return }
        hasListeners = false
        if let keepsListeners, keepsListeners() { return }
        for listener in listeners where !listener.isOwn { listener.descriptor.close() }
    }

    /// How many connections still await a response, or the rest of one, or would lose one to a reset if the process
    /// ended now. These last have until the deadline of their phase. A listener that nobody else has counts too.
    public func unsettledCount(_ baton: borrowing Baton) -> Int {
        ownListeners.count
            + connections.count { connection in
                switch connection.phase {
                case .discarding, .closed: false
                case .lingering(let farewell): farewell.mayBeReset
                case .preamble, .idle, .head, .body, .held, .running, .draining: true
                }
            }
    }
}
