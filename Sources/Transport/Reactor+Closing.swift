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
        now = Clock.now()
        lastRequestsEnd = now &+ Self.freshTime
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

    /// Whether the next request of a connection may be on its way: its client would see it end without an answer
    /// (RFC 9112 §9.6). That is so where it was accepted a moment ago, and where it has been served before, at the
    /// beginning of the end: a client that asks steadily gets an answer that says that it is the last. Each gets that
    /// moment, and no more.
    func mayStillAsk(_ connection: Connection) -> Bool {
        guard connection.deadline != 0 else { return false }
        guard connection.session.requestCount == 0 else {
            guard now < lastRequestsEnd else { return false }
            setDeadline(connection, after: lastRequestsEnd - now)
            return true
        }
        let accepted = connection.deadline &- configuration.timeouts.head
        guard now < accepted &+ Self.freshTime else { return false }
        setDeadline(connection, after: Self.freshTime)
        return true
    }

    /// Nanoseconds that a worker waits at its end for the first bytes of a request.
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
