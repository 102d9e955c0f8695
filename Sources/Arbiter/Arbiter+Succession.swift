internal import Platform
internal import Supervision

/// One program takes the place of another, without a connection lost (USR2).
extension Arbiter {
    /// Starts the program anew beside this one, with the sockets.
    func startSuccessor(_ signals: SignalPipe) {
        if succession.successor != nil { return host.log(.warning, "USR2 signal ignored. Child exists.") }
        if succession.isSuccessor { return host.log(.warning, "USR2 signal ignored. Parent exists.") }
        guard supervisor.isServing else { return }
        let result: ForkResult
        do throws(SystemError) {
            result = try fork(signals) {}
        } catch {
            return host.log(.error, "Can't start a new master: \(error)")
        }
        switch result {
        case .parent(let child):
            succession.successor = child
            tell(.successor(pid: child))
        case .child:
            become(parent: processID)
        }
    }

    /// In the child: becomes the new program.
    private func become(parent: ProcessID) -> Never {
        guard host.notify(.willExecute) == .done else { Process.exitImmediately(1) }
        let sockets = current.listeners.map(\.socket.descriptor)
        do {
            for socket in sockets { try socket.keepOnExec() }
        } catch {
            host.log(.error, "Can't hand the sockets over: \(error)")
            Process.exitImmediately(1)
        }
        var variables = [("GUNICORN_PID", "\(parent)")]
        if service.gaveSockets {
            // They have the numbers that the manager gave them.
            variables += [("LISTEN_PID", "\(Process.id)"), ("LISTEN_FDS", "\(sockets.count)")]
        } else {
            variables.append(("GUNICORN_FD", sockets.map { "\($0.rawValue)" }.joined(separator: ",")))
        }
        // The manager goes on watching, whichever process is the main one.
        if service.isWatched { variables.append(("WATCHDOG_PID", "\(Process.id)")) }
        host.execute(variables)
        Process.exitImmediately(1)
    }

    /// The new master has ended while this one lives: everything is as before.
    func successorEnded(_ status: ExitStatus) {
        guard let pid = succession.successor else { return }
        succession.successor = nil
        switch status {
        case .exited(code: 0): host.log(.info, "The new master (pid:\(pid)) has left.")
        case .exited(code: 1):
            // It may have had no log yet.
            let hint = "Where the log does not say why, its standard error does, and --check-config."
            host.log(.error, "The new master (pid:\(pid)) exited with code 1. \(hint)")
        case .exited(let code): host.log(.error, "The new master (pid:\(pid)) exited with code \(code).")
        case .signaled(let signal, _): host.log(.error, "The new master (pid:\(pid)) was sent \(signal)!")
        }
        tell(.successor(pid: nil))
    }

    /// The old master is gone: this one is the server.
    func checkPromotion() {
        guard succession.takePromotion() else { return }
        host.log(.info, "Master has been promoted.")
        service.notePromotion(processID)
        replacePidFile()
        setTitle()
        tell(.promoted)
    }
}
