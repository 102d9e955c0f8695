internal import Platform
internal import Supervision

extension Arbiter {
    /// Reads the configuration again and has it prove itself: a worker is forked for it, and when that serves the
    /// others follow. Until then everything stays as it is.
    func reload(because cause: ReloadCause = .hangUp) {
        guard supervisor.isServing else { return }
        if cause == .hangUp { host.log(.info, "Hang up: \(succession.masterName)") }
        service.noteReload()
        if let awaited = awaitedMold, awaited != supervisor.generation {
            host.log(.info, "The reload is given up for the next one.")
            tell(.abandoned(generation: awaited))
            retire(awaited)
        }
        let number = lastGeneration + 1
        // What failed to be read has no workers, and its number is used up all the same.
        lastGeneration = number
        guard let configuration = host.readConfiguration(number) else { return giveUp(number) }
        watchFiles(for: configuration)
        var generation = Generation(number: number, configuration: configuration, listeners: [])
        guard rebind(&generation) else { return giveUp(number) }
        generations[number] = generation
        guard tell(.listening(generation: number, generation.clientListeners)), tell(.reloading(generation: number))
        else {
            retire(number)
            return giveUp(number)
        }
        if configuration.preloads, configuration.terms.workers > 0 {
            // It is for the workers when its application is loaded.
            awaitedMold = number
        } else {
            supervisor.receive(.reload(generation: number, configuration.terms), at: Clock.now())
        }
    }

    func giveUp(_ number: Int) {
        host.log(.error, "The reload is given up: the old workers and the old configuration stay.")
        tell(.abandoned(generation: number))
        service.noteReloaded("Serving; the reload failed")
    }

    /// The first worker of a configuration serves.
    func adopt(_ number: Int) {
        cells?.countReload()
        current.deferAccept()
        tell(.adopted(generation: number))
        tell(.workersChanged(new: supervisor.wanted, old: supervisor.wanted))
        warnOfNoWorkers()
        setTitle()
        replacePidFile()
        stopWatchingFiles()
    }

    func report(abandoned number: Int, _ reason: AbandonReason) {
        let text: String
        switch reason {
        case .bootFailed(.exited(let code)): text = "its first worker exited with code \(code)"
        case .bootFailed(.signaled(let number)): text = "its first worker was sent \(Signal(rawValue: number))"
        case .bootTimedOut: text = "its first worker did not come to serve in time"
        case .superseded:
            tell(.abandoned(generation: number))
            return host.log(.info, "The reload is given up for the next one.")
        }
        host.log(.error, "The reload is given up, \(text): the old workers and the old configuration stay.")
        tell(.abandoned(generation: number))
        service.noteReloaded("Serving; the reload failed")
    }

    // MARK: The pid file

    /// - Returns: false, with one line in the log, when there is another server or the file cannot be written.
    func makePidFile() -> Bool {
        guard let path = current.configuration.pidFile else { return true }
        do {
            pidFile = try PidFile(creating: succession.isSuccessor ? path + ".2" : path)
            return true
        } catch {
            host.log(.error, "\(error)")
            return false
        }
    }

    /// After the configuration, or this master's rank, has changed.
    func replacePidFile() {
        let path = current.configuration.pidFile.map { succession.isSuccessor ? $0 + ".2" : $0 }
        guard path != pidFile?.path else { return }
        pidFile?.remove()
        pidFile = nil
        _ = makePidFile()
    }

    func setTitle() {
        let name = current.configuration.processName + (succession.isSuccessor ? ".2" : "")
        Process.setTitle("monoceros: master [\(name)]")
    }
}

/// Why the server reloads.
enum ReloadCause {
    /// HUP.
    case hangUp
    case filesChanged
}
