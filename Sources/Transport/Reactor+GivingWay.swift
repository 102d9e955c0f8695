internal import HTTPServer
internal import HTTPWire
internal import Platform

/// Who makes room where all places, or all descriptors, are taken.
extension Reactor {
    /// The connection that gives way, and when the first in their order may if none does now. It goes through all of
    /// them, which only a worker without room does.
    func whoGivesWay() -> (connection: Connection?, moment: Nanoseconds?) {
        let crowd = configuration.crowd
        while true {
            var found: (connection: Connection, candidate: Admission.Candidate)?
            var next: Admission.Candidate?
            for connection in connections {
                guard let candidate = candidate(connection) else { continue }
                if !candidate.mayGiveWay(now: now, crowd) {
                    if candidate.goes(before: next) { next = candidate }
                } else if candidate.goes(before: found?.candidate) {
                    found = (connection, candidate)
                }
            }
            guard let (connection, candidate) = found else { return (nil, next?.mayGiveWayAt(crowd)) }
            guard candidate.stage != .leaving, candidate.stage != .response,
                connection.channel.waitUntilReadable(milliseconds: 0)
            else {
                return (connection, nil)
            }
            // It has just sent something, whose event comes later in this batch.
            connection.mayBeReadable = true
            enqueue(connection)
        }
    }

    /// Since when a connection has made no progress; nil for one that does not give way: its request is complete, or it
    /// has its turn. But for bodies, its deadline tells.
    private func candidate(_ connection: Connection) -> Admission.Candidate? {
        guard !connection.isQueued else { return nil }
        if case .body(let body) = connection.phase {
            // It waits for the disk, and not for its client.
            if body.receipt.isAtDisk { return nil }
            return Admission.Candidate(stage: .body, since: body.receipt.lastProgress)
        }
        guard connection.deadline != 0 else { return nil }
        let timeouts = configuration.timeouts
        switch connection.phase {
        case .idle where connection.session.requestCount > 0:
            return Admission.Candidate(stage: .idle, since: connection.deadline &- timeouts.idle)
        case .idle, .preamble(nil):
            return Admission.Candidate(stage: .silent, since: connection.deadline &- timeouts.head)
        case .head, .preamble:
            return Admission.Candidate(stage: .head, since: connection.deadline &- timeouts.head)
        case .lingering:
            return Admission.Candidate(stage: .leaving, since: connection.deadline &- timeouts.linger)
        case .draining where configuration.crowd == .brisk:
            return Admission.Candidate(stage: .response, since: connection.deadline &- timeouts.write)
        case .body, .held, .running, .draining, .discarding, .closed:
            return nil
        }
    }

    /// A connection is gone while others wait for a place or a descriptor.
    func noteRoom() {
        admission.noteRoom()
        sharing?.pausedUntil = 0
    }

    /// Ends a connection whose place another needs. Who was in the middle of a request is told, if a word fits.
    func giveWay(_ connection: Connection) {
        switch connection.phase {
        case .head(let head): dismiss(connection, WireError(.headTimeout), head: head.bytes.bytes)
        case .preamble(.some): dismiss(connection, WireError(.headTimeout), head: nil)
        case .body(let body): dismiss(connection, WireError(.bodyTimeout), head: body.head.bytes)
        default: return close(connection)
        }
        if admission.notesGivingWay(now: now) {
            note(
                .warning,
                "All places or descriptors are taken: clients that do not go on with their requests give way to others."
            )
        }
    }
}
