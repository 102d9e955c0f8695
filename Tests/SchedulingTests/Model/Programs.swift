import Platform

@testable import Scheduling

/// What the threads of a worker do, as `Sources` has it, piece by piece. The line that a piece stands for is beside it,
/// between backticks, and `ProgramQuoteTests` finds each of them in the files that the `MARK` above names. The
/// hand-over itself is no copy: `take`, `lend` and the others are the code of Sources/Scheduling.
///
/// A piece ends by the place where the thread goes on. It must not do anything but by steps, since it is run again for
/// each of them.
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
        case .taking:  // `guard let baton = crew.handOver.take(timeout: Crew.nap) else {`
            return take(timeout: 0) != nil ? .serving : .givingUp
        case .givingUp:  // `if lifetime.hasEnded || lifetime.isOverdue(at: Clock.now()) { return true }`
            return load("look whether it is over") { $0.isOverdue || $0.isOver } ? leave() : .taking
        case .ending:  // `crew.end()`
            end()
            return .leaving
        case .leaving:  // `crew.handOver.offer(baton)`
            offer(Baton())
            return leave()

        // drive
        case .serving:
            return readsAhead() ? .readingAhead : serveNext()
        case .readingAhead:  // `if crew.reactor.readsAhead(baton) { crew.reactor.holdRequests(baton, on: bench) }`
            return nextEvent(holds: true) != .none ? .readingAhead : .servingHeld
        case .servingHeld:
            return serveNext()
        case .attending:  // `if crew.reactor.takeSignals(baton) || owesAttendance {`
            guard hasChore() else { return afterAttending }
            if flaw == .handlerRunsWithBaton {
                wait("run a signal handler", .inApplication) { _ in false }
                return afterAttending
            }
            // `let loan = crew.handOver.lend(baton)`
            remember(code(lend(Baton(), expectsLong: false).word))
            return .inHandler
        case .inHandler:  // `let isFine = attend(&python)`
            wait("run a signal handler", .inApplication) { _ in false }
            // `guard let recovered = crew.handOver.recover(loan) else { return isFine ? .lost : .failed }`
            let isRecovered = recoverOwn()
            // `crew.handOver.offer(recovered)`
            if state.mainThreadRuns, fails() { return isRecovered ? .failing : .dying }
            return isRecovered ? afterAttending : .taking
        case .settling:  // `crew.settleReturns(baton)`
            settleReturns()
            return flaw == .returnsSettledFirst ? .serving : .deciding
        case .deciding:  // `let isDone = crew.isDone(baton)`
            return isDone() ? .ending : .fetching
        case .fetching:  // `guard hasLines || crew.reactor.hasSomethingToFetch(baton) else { return baton }`
            guard hasChore() else { return .polling }
            // `let loan = crew.handOver.lend(baton)`
            remember(code(lend(Baton(), expectsLong: false).word))
            return .inLog
        case .inLog:
            wait("write lines to the log", .inApplication) { _ in false }
            // `return crew.handOver.recover(loan)`
            return recoverOwn() ? .polling : .taking
        case .polling:  // `owesAttendance = !crew.poll(baton, milliseconds: wait) && isMain`
            poll(ignoringHeld: false)
            return flaw == .returnsSettledFirst ? .settling : .serving

        // serve
        case .promoting:  // `let isLong = handsOver && crew.promotion.promotesEarly(kind)`
            let isLong = step("choose to promote", isQuiet: true) { $0.mainThreadRuns ? 0 : UInt8(choose(2)) } != 0
            share()  // `crew.share(baton)`
            guard isLong else { return .lending }
            // `guard let kept = crew.handOver.offerIfAwaited(baton) else {`
            return offerIfAwaited(Baton()) == nil ? .inApplication : .lendingForLong
        case .lending:  // `let loan = crew.handOver.lend(baton, expectsLong: isLong)`
            remember(code(lend(Baton(), expectsLong: false).word))
            return .inApplication
        case .lendingForLong:
            remember(code(lend(Baton(), expectsLong: true).word))
            return .inApplication
        case .inApplication:  // `let (ended, failed) = runApplication(exchange, mayDefer: mayDefer, &python)`
            wait("run the application", .inApplication) { _ in false }
            return own.word == ThreadState.none ? .returning : .recovering
        case .recovering:  // `guard let recovered = crew.handOver.recover(loan) else {`
            return recoverOwn() ? .finishing : .returning
        case .finishing:  // `crew.reactor.finish(ended, baton)`
            store("finish", isQuiet: true) { self.finish(&$0) }
            return fails() ? .failing : .serving
        case .returning:  // `giveBack(ended, kind, outlastedTick: !isShort, duration: duration)`
            store("append to the returns") { $0.returned += 1 }
            store("mark the returns") { $0.returnsMarked = true }
            store("wake the reactor") { $0.waker = true }  // `crew.reactor.waker.wake()`
            return fails() ? .dying : .taking
        case .failing:  // `crew.handOver.offer(baton)`
            offer(Baton())
            return .dying
        default: return end(at: place)
        }
    }

    /// Requests that are long enough are all read before the first is begun; how long they are is open.
    private func readsAhead() -> Bool {
        guard state.relay.exists else { return false }
        return step("read ahead or not", isQuiet: true) { _ in UInt8(choose(2)) } != 0
    }

    private func serveNext() -> Place {
        switch nextEvent(holds: false) {  // `var found = crew.reactor.next(baton, on: bench)`
        case .request: .promoting
        case .other: .serving
        case .none: .attending
        }
    }

    // MARK: RunnerThread.swift, Worker.swift

    private func end(at place: Place) -> Place {
        guard place == .dying else { preconditionFailure("no place of a runner") }
        if state.mainThreadRuns {  // `crew.end()`
            end()
        } else {  // `crew.drain(toBeReplaced: true)`
            drain()
        }
        return leave()
    }

    /// Whether a runner has something to do in Python that is no request.
    private func hasChore() -> Bool {
        guard state.hasChores else { return false }
        return step("have a chore or not", isQuiet: true) { _ in UInt8(choose(2)) } != 0
    }

    private var afterAttending: Place { flaw == .returnsSettledFirst ? .deciding : .settling }

    private func recoverOwn() -> Bool {
        let isRecovered = recover(BatonLoan(word: BatonWord(code: own.word))) != nil
        remember(ThreadState.none)
        return isRecovered
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

    // MARK: PilotLoop.swift, Pilot.swift

    private func pilot(at place: Place) -> Place {
        switch place {
        // run
        case .glancing:  // `while !duties.isOver {`
            if isOver("look whether it is over") { return .gone }
            // `guard let seen = handOver.observe() else {`
            guard let seen = observe() else {
                remember(ThreadState.none)
                return .idling
            }
            let word = code(seen.word)
            // `let isDue = seen.expectsLong || (seen == last && !duties.excuses())`
            let isExcused = !seen.expectsLong && own.word == word && excuses()
            let isDue = seen.expectsLong || (own.word == word && !isExcused)
            remember(word)
            return isDue ? .retaking : .ticking
        case .retaking:  // `if isDue, let baton = handOver.retake(seen) {`
            guard retake(BatonObservation(word: BatonWord(code: own.word))) != nil else { return .ticking }
            remember(ThreadState.none)
            return .offering
        case .ticking:  // `handOver.sleep(duties.tick)`
            sleep(0)
            return .glancing
        case .idling:  // `if idle <= duties.idleGlances {`
            let isLong = step("count idle glances", isQuiet: true) { _ in UInt8(choose(2)) } == 0
            guard isLong else { return .ticking }
            return flaw == .unwantedOfferIgnored ? .parking : .picking
        case .picking:  // `} else if let baton = handOver.claimUnwantedOffer() {`
            return claimUnwantedOffer() != nil ? .offering : .parking
        case .parking:  // `handOver.sleepUntilLent(timeout: untilCheck)`
            sleepUntilLent(timeout: 0)
            return .glancing

        // drive
        case .offering:  // `guard var baton = handOver.offerToWaitingRunner(baton) else { return }`
            guard offerToWaitingRunner(Baton()) != nil else { return .glancing }
            setAccepting(false)  // `duties.setAccepting(false, baton)`
            return .keeping
        case .keeping:  // `duties.doWork(baton)`, `crew.reactor.holdRequests(baton, on: bench)`
            if nextEvent(holds: true) != .none { return .keeping }
            return .pilotSettling
        case .pilotSettling:  // `crew.settleReturns(baton)`
            settleReturns()
            return .pilotSharing
        case .pilotSharing:  // `crew.shareStalled(baton)`
            shareStalled()
            return .pilotClosing
        case .pilotClosing:  // `crew.beginClosing(baton)`
            beginClosing()
            setAccepting(true)  // `duties.setAccepting(true, baton)`
            return .pilotOffering
        case .pilotOffering:  // `guard let kept = handOver.offerToWaitingRunner(baton) else { return }`
            return offerToWaitingRunner(Baton()) != nil ? .pilotChecking : .glancing
        case .pilotChecking:  // `if duties.hasToLeave(baton) { return handOver.offer(baton) }`
            // `if lifetime.hasEnded { return true }`
            if isOver("look whether it is over") { return .pilotLeaving }
            // `guard lifetime.isOverdue(at: Clock.now()) else { return false }`
            guard step("look whether it is overdue", isQuiet: !state.isDraining, { $0.isOverdue ? 1 : 0 }) != 0 else {
                return .pilotPolling
            }
            // `guard crew.attendance != nil else {`
            guard state.mainThreadRuns else { return .pilotEnding }
            store("exit") { state in
                if state.isOver { self.violate("a worker that leaves is cut short") }
                state.hasEnded = true
            }
            return .gone
        case .pilotPolling:  // `duties.poll(baton, timeout: duties.check())`
            setAccepting(false)
            poll(ignoringHeld: true)
            return .keeping
        case .pilotEnding:  // `crew.end()`
            end()
            return .pilotLeaving
        case .pilotLeaving:
            offer(Baton())
            return .glancing
        default:
            preconditionFailure("no place of the pilot")
        }
    }

    /// Not for ever: what follows from it is explored from each state, with excuses and without.
    private func excuses() -> Bool {
        step("excuse or not", isQuiet: true) { _ in UInt8(choose(2)) } != 0
    }

    private func isOver(_ name: StaticString) -> Bool {
        step(name, isQuiet: !state.isDraining && !state.isOver, { $0.isOver ? 1 : 0 }) != 0
    }

    // MARK: Crew.swift

    private func end() {
        store("end") {  // `lifetime.receive(.end(until: latestEnd))`
            $0.isOver = true
            $0.waker = true  // `reactor.waker.wake()`
        }
        // `handOver.wakeRunners()`: that a runner's nap ends is sure from now on (Attendant.dismiss).
        wakePilot()  // `handOver.wakePilot()`
    }

    private func drain() {
        // `lifetime.receive(.drain(until: latestEnd, replaced: toBeReplaced))`
        store("begin to drain") { $0.isDraining = true }
        store("wake the reactor") { $0.waker = true }
    }

    /// Any thread, at any moment.
    private func other(at place: Place) -> Place {
        if place == .signaling { drain() } else { wakePilot() }
        return .gone
    }
}
