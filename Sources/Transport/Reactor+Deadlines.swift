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
        // A note for an earlier slot will look at it in time, and see how long it really has.
        if connection.slot != 0, connection.slot <= DeadlineWheel.slot(of: connection.deadline) { return }
        connection.slot = wheel.schedule(connection.payload, at: connection.deadline)
        schedule(wakeAt: connection.slot &* DeadlineWheel.slotWidth)
    }

    /// Makes the reactor's descriptor readable at that moment, or earlier.
    func schedule(wakeAt moment: Nanoseconds) {
        guard moment < armed else { return }
        armed = moment
        timer.arm(moment)
    }

    /// The timer rang.
    func expireDeadlines() {
        timer.drain()
        now = Clock.now()
        armed = .max
        for (payload, slot) in wheel.expire(now: now) {
            let index = Int(payload & 0xFFFF_FFFF)
            guard index < table.count, let connection = table[index], connection.payload == payload,
                connection.slot == slot
            else { continue }
            connection.slot = 0
            guard connection.deadline != 0 else { continue }
            if connection.deadline > now {
                connection.slot = wheel.schedule(payload, at: connection.deadline)
            } else {
                expire(connection)
            }
        }
        if let next = wheel.next { schedule(wakeAt: next) }
        if acceptBackOff > now { schedule(wakeAt: acceptBackOff) }
        if crowdedUntil > now { schedule(wakeAt: crowdedUntil) }
    }

    private func expire(_ connection: Connection) {
        switch connection.phase {
        case .idle where connection.requestCount == 0 || connection.input == nil:
            // Nothing was asked, so there is nothing to answer.
            linger(connection)
        case .preamble where connection.input == nil:
            linger(connection)
        case .preamble, .idle, .head:
            refuse(connection, WireError(.headTimeout))
        case .body:
            refuse(connection, WireError(.bodyTimeout))
        case .draining(let persist, let unsent):
            let left = connection.unsentByteCount
            guard let unsent, left <= unsent - Timeouts.progress else { return close(connection) }
            connection.phase = .draining(persist: persist, unsent: left)
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
