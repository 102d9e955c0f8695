import Platform

@testable import Scheduling

/// What the threads of a worker do, as `Sources/Worker` has it, piece by piece; the line that a piece stands for is beside
/// it. The exchange itself is no copy: `take`, `lend` and the others are the code of Sources/Scheduling.
///
/// A piece ends by the place where the thread goes on. It must not do anything but by steps, since it is run again for each
/// of them.
extension ModelMemory {
    /// Runs the prepared thread's program up to its next step.
    func run() {
        while state.threads[thread].place != .gone {
            let place = state.threads[thread].place
            let next =
                switch thread {
                case ModelState.pilot: pilot(at: place)
                case ModelState.other: other(at: place)
                default: runner(at: place)
                }
            if isPast { return }
            move(to: next)
        }
    }

    private var own: ThreadState { state.threads[thread] }

    private func remember(_ word: UInt8) { if !isPast { state.threads[thread].word = word } }

    // MARK: Runner.swift

    private func runner(at place: Place) -> Place {
        switch place {
        // run
        case .taking:  // crew.exchange.take(timeout: Crew.nap)
            return take(timeout: 0) != nil ? .serving : .givingUp
        case .givingUp:  // if crew.isOverdue || (!isMain && crew.state.isDraining) { return true }
            let isMain = thread == 0
            guard load("look whether to leave", { $0.isOverdue || (!isMain && $0.isDraining) }) else { return .taking }
            return leave()

        // serveWhileHolding
        case .serving:  // while let connection = crew.reactor.next(baton, on: bench)
            switch nextEvent(holds: false) {
            case .request: return .lending
            case .waker: return .serving
            case .none: return flaw == .returnsSettledFirst ? .deciding : .settling
            }
        case .settling:  // crew.settleReturns(baton)
            settleReturns()
            return flaw == .returnsSettledFirst ? .serving : .deciding
        case .deciding:  // if crew.isDone(baton) { return .kept(baton) }
            return isDone() ? .leaving : .polling
        case .polling:  // crew.reactor.poll(baton, milliseconds: Crew.napMilliseconds)
            poll(ignoringHeld: false)
            return flaw == .returnsSettledFirst ? .settling : .serving
        case .leaving:  // case .kept(let baton): crew.exchange.offer(baton)
            offer(Baton())
            return leave()

        // serve
        case .lending:  // let loan = crew.exchange.lend(baton)
            let loan = lend(Baton())
            remember(code(loan.word))
            return .inApplication
        case .inApplication:  // gateway.run(...)
            wait("run the application", .inApplication) { _ in false }
            return .recovering
        case .recovering:  // guard let recovered = crew.exchange.recover(loan) else {
            let recovered = recover(BatonLoan(word: BatonWord(code: own.word))) != nil
            remember(ThreadState.none)
            return recovered ? .finishing : .returning
        case .finishing:  // crew.reactor.finish(connection, baton, persist: outcome.persists)
            store("finish", isQuiet: true) { self.finish(&$0) }
            return .serving
        case .returning:  // crew.returns.put(...); crew.reactor.waker.wake(); return .lost
            store("append to the returns") { $0.returned += 1 }
            store("mark the returns") { $0.returnsMarked = true }
            store("wake the reactor") { $0.waker = true }
            return .taking
        default:
            preconditionFailure("no place of a runner")
        }
    }

    /// The process ends with its main thread.
    private func leave() -> Place {
        let isMain = thread == 0
        store("leave") { if isMain { $0.hasEnded = true } }
        return .gone
    }

    // MARK: Pilot.swift

    private func pilot(at place: Place) -> Place {
        switch place {
        // run
        case .glancing:  // guard let seen = exchange.observe() else {
            guard let seen = observe() else {
                remember(ThreadState.none)
                return .idling
            }
            let word = code(seen.word)
            if own.word == word { return .retaking }
            remember(word)
            return .ticking
        case .retaking:  // if seen == last, let baton = exchange.retake(seen) {
            guard retake(BatonObservation(word: BatonWord(code: own.word))) != nil else { return .ticking }
            remember(ThreadState.none)
            return .offering
        case .ticking:  // exchange.sleep(crew.configuration.tick)
            sleep(0)
            return .glancing
        case .idling:  // if idle > Self.idleGlances {
            let isLong = step("count idle glances", isQuiet: true) { _ in UInt8(choose(2)) } == 0
            guard isLong else { return .ticking }
            return flaw == .unwantedOfferIgnored ? .parking : .picking
        case .picking:  // else if let baton = exchange.claimUnwantedOffer() {
            return claimUnwantedOffer() != nil ? .offering : .parking
        case .parking:  // exchange.sleepUntilLent()
            sleepUntilLent()
            return .glancing

        // keep
        case .offering:  // guard var baton = crew.exchange.offerToWaitingRunner(baton) else { return }
            return offerToWaitingRunner(Baton()) != nil ? .keeping : .glancing
        case .keeping:  // crew.reactor.serve(baton, on: bench)
            if nextEvent(holds: true) != .none { return .keeping }
            return .pilotSettling
        case .pilotSettling:  // crew.settleReturns(baton)
            settleReturns()
            return .pilotClosing
        case .pilotClosing:  // if crew.state.isDraining { crew.reactor.beginClosing(baton) }
            _ = isDone()
            return .pilotOffering
        case .pilotOffering:  // guard let kept = crew.exchange.offerToWaitingRunner(baton) else { return }
            return offerToWaitingRunner(Baton()) != nil ? .pilotPolling : .glancing
        case .pilotPolling:  // crew.reactor.poll(...); if crew.isOverdue { Process.exitImmediately(1) }
            poll(ignoringHeld: true)
            store("look whether it is overdue", isQuiet: !state.isDraining) { if $0.isOverdue { $0.hasEnded = true } }
            return .keeping
        default:
            preconditionFailure("no place of the pilot")
        }
    }

    // MARK: Crew.drain, on any thread, at any moment

    private func other(at place: Place) -> Place {
        switch place {
        case .signaling:  // state.drain(); reactor.waker.wake()
            store("begin to drain") { $0.isDraining = true }
            store("wake the reactor") { $0.waker = true }
        default:  // exchange.wakePilot()
            wakePilot()
        }
        return .gone
    }
}
