internal import HTTPServer
internal import HTTPWire
internal import Platform
public import Scheduling

/// A worker that leaves, while others stay: its clients do not notice.
extension Reactor {
    /// Whether this worker leaves and has others go on with its connections.
    var isParting: Bool { sharing?.parting != nil && !isClosing }

    /// The worker leaves: its connections go to others, each as soon as it can. Where there are no others, or they
    /// cannot be reached, it ends as `beginClosing` has it. To be asked again until nothing is left.
    ///
    /// - Parameter takingBacklog: where nobody stays, connections in the backlog are served first.
    public func leave(_ baton: borrowing Baton, takingBacklog: Bool = true) {
        guard !isClosing else {
            if takingBacklog { adoptLeftBehind(baton) }
            return
        }
        guard let sharing, sharing.commons.areOthersServing, sharing.parting.map({ now < $0.end }) ?? true else {
            return beginClosing(baton, takingBacklog: takingBacklog)
        }
        if sharing.parting == nil {
            sharing.parting = Sharing.Parting(end: Clock.now() + Sharing.patience, retry: 0)
            announceLeaving()
            updateAccepting()
            closeListeners()
        }
        let before = connections.count
        drainOwnListeners()
        if connections.count > before, sharing.parting?.retry == nil { sharing.parting?.retry = now }
        guard let retry = sharing.parting?.retry, now >= retry else { return }
        sharing.parting?.retry = nil
        sendOff(Array(connections), sharing)
        held.keep { if case .held = $0.phase { true } else { false } }
        postponed.keep { if case .held = $0.connection.phase { true } else { false } }
    }

    /// Posts a connection of a worker that leaves, if it can travel. Whether it did.
    func sendOff(_ connection: Connection) -> Bool {
        guard let sharing, sharing.parting != nil else { return false }
        return sendOff([connection], sharing)
    }

    @discardableResult
    private func sendOff(_ leaving: [Connection], _ sharing: Sharing) -> Bool {
        for connection in leaving {
            switch post(connection, sharing) {
            case .posted: continue
            case .atDisk:
                tryAgain(sharing)
                if leaving.count == 1 { return false }
            case .stays where leaving.count > 1: continue
            case .stays: return false
            case .later:
                tryAgain(sharing)
                return false
            }
        }
        return true
    }

    private func tryAgain(_ sharing: Sharing) {
        let retry = now + Sharing.retryInterval
        sharing.parting?.retry = retry
        schedule(wakeAt: retry)
    }

    /// No worker serves any longer: what they posted and nobody took is for those that leave to end. Each takes a
    /// request when it has none that waits, so that a queue is shared to its end, and none leaves while there is more.
    ///
    /// - Returns: how many connections it took.
    @discardableResult
    public func adoptLeftBehind(_ baton: borrowing Baton) -> Int {
        guard let sharing, held.isEmpty, !sharing.commons.areOthersServing else { return 0 }
        let bench = Workbench(policy: configuration.policy)
        var count = 0
        while held.isEmpty {
            switch adoptNext(sharing, on: bench) {
            case .nothing: return count
            case .lost: continue
            case .complete(let connection):
                detach(connection, from: bench)
                held.append(connection)
                count += 1
            case .incomplete: count += 1
            }
        }
        return count
    }
}
