internal import Platform
internal import Supervision

extension Arbiter {
    /// The signals that the master takes from Python and from their default action.
    static let handledSignals: [Signal] = [
        .terminate, .interrupt, .quit, .child, .hangUp, .user1, .user2, .terminalInput, .terminalOutput, .windowChanged,
    ]

    /// Reads the signals that arrived and does what they ask for.
    ///
    /// - Returns: whether one of them told of a child's end, which is for `reap` to find.
    @discardableResult
    func takeSignals(_ signals: SignalPipe) -> Bool {
        let arrived = signals.drain()
        for (index, signal) in arrived.enumerated() where signal != .child {
            host.log(.info, "Handling signal: \(signal.shortName?.lowercased() ?? "\(signal)")")
            switch signal {
            case .terminate: supervisor.receive(.stopGracefully, at: Clock.now())
            case .interrupt, .quit: stopQuickly()
            // However many came at once, the last one reads what all of them meant.
            case .hangUp where !arrived[(index + 1)...].contains(.hangUp): reload()
            case .hangUp: continue
            case .terminalInput: setWorkers { supervisor.receive(.changeWorkers(by: 1), at: Clock.now()) }
            case .terminalOutput: setWorkers { supervisor.receive(.changeWorkers(by: -1), at: Clock.now()) }
            case .user1: reopenLogs()
            case .user2: startSuccessor(signals)
            case .windowChanged: letWorkersGo()
            default: continue
            }
        }
        return arrived.contains(.child)
    }

    private func stopQuickly() {
        if !supervisor.isServing { host.log(.info, "Quick shutdown requested") }
        supervisor.receive(.stopQuickly, at: Clock.now())
    }

    /// Has master and workers go on in new files.
    private func reopenLogs() {
        tell(.reopenLogs)
        logsReopenedAt = Clock.now()
        for worker in supervisor.table.workers where worker.isReady {
            try? Process.send(.user1, to: worker.pid)
        }
    }

    /// Before the server is replaced by another (USR2). A terminal sends the signal whenever its size changes, so that
    /// it counts only for a server that has none.
    private func letWorkersGo() {
        guard current.configuration.isDaemon else {
            return host.log(.debug, "SIGWINCH ignored. Not daemonized")
        }
        host.log(.info, "graceful stop of workers")
        setWorkers { supervisor.receive(.setWorkers(0), at: Clock.now()) }
    }
}
