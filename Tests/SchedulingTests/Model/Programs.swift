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
        case .givingUp:  // if crew.isOverdue || crew.isOver { return true }
            return load("look whether it is over") { $0.isOverdue || $0.isOver } ? leave() : .taking
        case .ending:  // crew.end()
            end()
            return .leaving
        case .leaving:  // crew.exchange.offer(baton); return true
            offer(Baton())
            return leave()

        // serveWhileHolding
        case .serving:  // while let (connection, isPostponed) = next(baton) {
            switch nextEvent(holds: false) {
            case .request: return .promoting
            case .waker: return .serving
            case .none: return flaw == .returnsSettledFirst ? .deciding : .settling
            }
        case .settling:  // crew.settleReturns(baton)
            settleReturns()
            return flaw == .returnsSettledFirst ? .serving : .deciding
        case .deciding:  // let isDone = crew.isOver || crew.isDone(baton)
            return isDone() ? .ending : .polling
        case .polling:  // crew.reactor.poll(baton, milliseconds: Crew.napMilliseconds)
            poll(ignoringHeld: false)
            return flaw == .returnsSettledFirst ? .settling : .serving

        // serve
        case .promoting:  // let isLong = isOneOfMany && crew.promotion.promotesEarly(kind)
            let isEarly = step("choose to promote", isQuiet: true) { $0.mainThreadRuns ? 0 : UInt8(choose(2)) } != 0
            // guard let kept = crew.exchange.offerIfAwaited(baton) else {
            return isEarly && offerIfAwaited(Baton()) == nil ? .inApplication : .lending
        case .lending:  // let loan = crew.exchange.lend(baton)
            let loan = lend(Baton())
            remember(code(loan.word))
            return .inApplication
        case .inApplication:  // runApplication(...)
            wait("run the application", .inApplication) { _ in false }
            return own.word == ThreadState.none ? .returning : .recovering
        case .recovering:  // guard let recovered = crew.exchange.recover(loan) else {
            let recovered = recover(BatonLoan(word: BatonWord(code: own.word))) != nil
            remember(ThreadState.none)
            return recovered ? .finishing : .returning
        case .finishing:  // crew.reactor.finish(connection, baton, persist: outcome.persists); if outcome.failed {
            store("finish", isQuiet: true) { self.finish(&$0) }
            return fails() ? .failing : .serving
        case .returning:  // giveBack(...); return outcome.failed ? .failed : .lost
            store("append to the returns") { $0.returned += 1 }
            store("mark the returns") { $0.returnsMarked = true }
            store("wake the reactor") { $0.waker = true }
            return fails() ? .dying : .taking
        case .failing:  // crew.exchange.offer(baton); return .failed
            offer(Baton())
            return .dying
        case .dying:  // RunnerThread.run: crew.drain(toBeReplaced: true)
            drain()
            return leave()
        default:
            preconditionFailure("no place of a runner")
        }
    }

    private func fails() -> Bool {
        guard state.mayFail else { return false }
        return step("fail or not", isQuiet: true) { state in
            guard choose(2) == 1 else { return 0 }
            state.mayFail = false
            return 1
        } != 0
    }

    private func leave() -> Place {
        store("leave") { if $0.mainThreadRuns { $0.hasEnded = true } }
        return .gone
    }

    // MARK: Pilot.swift

    private func pilot(at place: Place) -> Place {
        switch place {
        // run
        case .glancing:  // while !crew.state.isQuitting, !crew.isOver {
            if step("look whether it is over", isQuiet: !state.isDraining, { $0.isOver ? 1 : 0 }) != 0 { return .gone }
            // guard let seen = exchange.observe() else {
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
        case .idling:  // if idle <= Self.idleGlances {
            let isLong = step("count idle glances", isQuiet: true) { _ in UInt8(choose(2)) } == 0
            guard isLong else { return .ticking }
            return flaw == .unwantedOfferIgnored ? .parking : .picking
        case .picking:  // else if let baton = exchange.claimUnwantedOffer() {
            return claimUnwantedOffer() != nil ? .offering : .parking
        case .parking:  // exchange.sleepUntilLent(timeout: untilNextCheck)
            sleepUntilLent(timeout: 0)
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
        case .pilotClosing:  // if crew.state.isDraining { crew.beginClosing(baton) }
            _ = isDone()
            return .pilotOffering
        case .pilotOffering:  // guard let kept = crew.exchange.offerToWaitingRunner(baton) else { return }
            return offerToWaitingRunner(Baton()) != nil ? .pilotPolling : .glancing
        case .pilotPolling:  // crew.reactor.poll(baton, milliseconds: ..., ignoringHeld: true)
            poll(ignoringHeld: true)
            // if crew.isOver { return crew.exchange.offer(baton) }
            if step("look whether it is over", isQuiet: !state.isDraining, { $0.isOver ? 1 : 0 }) != 0 {
                return .pilotLeaving
            }
            // guard crew.isOverdue || crew.reactor.isBroken else { continue }
            guard step("look whether it is overdue", isQuiet: !state.isDraining, { $0.isOverdue ? 1 : 0 }) != 0 else {
                return .keeping
            }
            // guard crew.attendance != nil else { Process.exitImmediately(1) }
            guard !state.mainThreadRuns else {
                store("exit") { state in
                    if state.isOver { self.violate("a worker that leaves is cut short") }
                    state.hasEnded = true
                }
                return .gone
            }
            // crew.exchange.offer(baton); crew.end(); return
            return .pilotLeaving
        case .pilotLeaving:
            offer(Baton())
            store("end") { $0.isOver = true }
            return .gone
        default:
            preconditionFailure("no place of the pilot")
        }
    }

    // MARK: Crew.swift

    private func end() {
        store("end") {
            $0.isOver = true
            $0.waker = true
        }
        // exchange.wakeRunners(): that a runner's nap ends is sure from now on (`Attendant.dismiss`).
        wakePilot()
    }

    private func drain() {
        store("begin to drain") { $0.isDraining = true }
        store("wake the reactor") { $0.waker = true }
    }

    /// Any thread, at any moment.
    private func other(at place: Place) -> Place {
        if place == .signaling { drain() } else { wakePilot() }
        return .gone
    }
}
