internal import HTTPWire
internal import Platform

/// Time limits: set cheaply and often, looked at rarely.
extension Reactor {
    /// - Parameter after: nanoseconds from now; 0 is never.
    func setDeadline(_ connection: Connection, after: Nanoseconds) {
        guard after > 0 else {
            connection.deadline = 0
            return
        }
        connection.deadline = now &+ after
        // Who waits is watched; who is not watched yet may be gone before it ever waits.
        if connection.isWatched { noteDeadline(connection) }
    }

    func noteDeadline(_ connection: Connection) {
        guard connection.deadline != 0 else { return }
        let slot = deadlines.note(connection.payload, at: connection.deadline, noted: connection.slot)
        guard slot != connection.slot else { return }
        connection.slot = slot
        schedule(wakeAt: Deadlines.end(ofSlot: slot))
    }

    /// Makes the reactor's descriptor readable at that moment, or earlier.
    func schedule(wakeAt moment: Nanoseconds) {
        if deadlines.mustArm(moment) { timer.arm(moment) }
    }

    /// Looks at all whose time may be up, after the timer rang.
    func expireDeadlines() {
        timerRang = false
        now = Clock.now()
        for (payload, slot) in deadlines.takeDue(now: now) {
            guard let connection = connections[payload], connection.slot == slot else { continue }
            connection.slot = 0
            guard connection.deadline != 0 else { continue }
            if connection.deadline > now { noteDeadline(connection) } else { expire(connection) }
        }
        if let next = deadlines.next { schedule(wakeAt: next) }
        if let pause = admission.nextWakeUp(now: now) { schedule(wakeAt: pause) }
    }

    private func expire(_ connection: Connection) {
        // At the end of the worker no client was late.
        if isClosing, connection.awaitsRequest { return linger(connection) }
        if case .draining = connection.phase {} else { countTimeout(connection) }
        switch connection.phase {
        case .idle, .preamble(nil):
            // Nothing was asked, so there is nothing to answer.
            linger(connection)
        case .preamble:
            refuse(connection, WireError(.headTimeout), head: nil)
        case .head(let head):
            refuse(connection, WireError(.headTimeout), head: head.bytes.bytes)
        case .body(let body) where body.receipt.isAtDisk:
            // It is not the client who lets us wait.
            setDeadline(connection, after: configuration.timeouts.body)
        case .body(let body):
            refuse(connection, WireError(.bodyTimeout), head: body.head.bytes)
        case .draining(var response):
            let left = connection.unsentByteCount
            guard let unsent = response.unsent, left <= unsent - Timeouts.progress else {
                countTimeout(connection)
                return close(connection)
            }
            response.unsent = left
            connection.life.drain(response)
            setDeadline(connection, after: configuration.timeouts.write)
        case .discarding:
            linger(connection)
        case .lingering:
            close(connection)
        case .held, .running, .closed:
            break
        }
    }
}
