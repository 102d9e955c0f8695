internal import Platform
internal import Supervision

extension Arbiter {
    /// The signals that the master takes from Python and from their default action. Those that ask for something this
    /// version does not do are taken too: by default they would end or stop the master, and a habit from another server
    /// should not be an outage.
    static let handledSignals: [Signal] =
        [.terminate, .interrupt, .quit, .child, .hangUp, .user1, .user2, .terminalInput, .terminalOutput]

    /// Reads the signals that arrived and tells the policy.
    func takeSignals(_ signals: SignalPipe) {
        for signal in signals.drain() where signal != .child {
            // A child's end is no request: it is found by reaping.
            host.log(.info, "Handling signal: \(signal.shortName?.lowercased() ?? "\(signal)")")
            switch signal {
            case .terminate: supervisor.receive(.stopGracefully, at: Clock.now())
            case .interrupt, .quit: supervisor.receive(.stopQuickly, at: Clock.now())
            default: host.log(.warning, "\(signal) is not supported and has no effect.")
            }
        }
    }
}
