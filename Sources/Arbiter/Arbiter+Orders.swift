internal import Platform
internal import Supervision

/// What the operator asks for at `admin_bind`, where workers may not signal the master since they run as another user.
extension Arbiter {
    /// Does what a worker passes on. Nothing where the operator has no socket that takes orders, and no more than
    /// `OrderPolicy` allows.
    func takeOrder(_ message: WorkerMessage) {
        guard let number = message.payload.first, message.payload.count == 1,
            let (signal, order) = Self.orders.first(where: { $0.signal.rawValue == Int32(number) }),
            supervisor.table[message.pid] != nil, let socket = current.adminListener, socket.address.port == nil
        else { return refuseOrder("An order of the process \(message.pid) is ignored.") }
        switch orders.judge(order, wanted: supervisor.wanted, most: mostByOrders, at: Clock.now()) {
        case .granted:
            host.log(.info, "The operator asks for what the signal \(signal) does (pid:\(message.pid))")
            // One way for all that a master is told.
            try? Process.send(signal, to: processID)
        case .refusedForNumber(let most):
            refuseOrder("The operator cannot add a worker: \(most) are the most for orders that workers pass on.")
        case .refusedForRate:
            refuseOrder("The operator asks for what the signal \(signal) does too often: it is ignored.")
        }
    }

    /// A worker that was broken into could repeat itself for ever.
    private func refuseOrder(_ text: String) {
        let now = Clock.now()
        guard now >= nextOrderNotice else { return }
        nextOrderNotice = now + .seconds(1)
        host.log(.warning, text)
    }

    /// Workers that there may be by such orders: as many as the scoreboard shows, with room for a reload.
    private var mostByOrders: Int {
        let terms = current.configuration.terms
        return 2 * terms.workers + Self.spareCells
    }

    /// What the operator's socket may ask of the master.
    private static let orders: [(signal: Signal, order: OrderPolicy.Order)] = [
        (.hangUp, .renew), (.user1, .renew), (.user2, .renew), (.terminate, .stop), (.quit, .stop),
        (.terminalInput, .add), (.terminalOutput, .remove),
    ]
}
