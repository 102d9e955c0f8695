@testable import Scheduling

/// Something that can happen next.
struct Move {
    enum Kind: UInt8 {
        /// The thread's next step.
        case step
        /// The others see the thread's delayed store.
        case flush
        /// The thread's sleep ends because it is due: the tick is over, an event is there.
        case due
        /// The thread's sleep ends though nothing is due: the nap is over, a signal came, the application returned.
        case wakeUp
        /// A client sends a request; the time for draining is up.
        case request, timeUp
        /// What the server's other worker does, or its clients.
        case asksOther, otherAdopts, otherPosts, otherAnswers, otherLeaves, otherEnds
    }

    let kind: Kind
    let thread: UInt8
    let choice: UInt8

    /// Whether it happens for sure, sooner or later. The hand-over must not count on the others.
    var isSure: Bool {
        switch kind {
        case .step, .flush, .due: true
        case .wakeUp, .request, .timeUp: false
        case .asksOther, .otherAdopts, .otherPosts, .otherAnswers, .otherLeaves, .otherEnds: false
        }
    }
}

/// Every state that a worker can come to, found by trying every move in each.
///
/// Two questions are asked. Of each state: is it allowed? And: whatever happened so far, does the worker come to rest
/// in order if from now on only those things happen that are sure to? No application returns, no nap ends, no signal
/// and no request comes; what is left must get along by itself. At rest every thread sleeps; the baton must then be
/// with a thread that sleeps in the poller, with nothing undone (`ModelState.disorder`). That a way leads there from
/// every state is enough: threads that run long enough come upon it.
struct Explorer {
    private var table = StateTable()
    /// The state that each was first reached from, and how.
    private var origins: [(from: Int32, move: Move)] = []
    /// Sure moves, as pairs of states.
    private var sureMoves: [(from: Int32, to: Int32)] = []
    private var resting: [Int32] = []
    private var states: [ModelState] { table.states }
    var stateCount: Int { states.count }
    private let memory: ModelMemory
    private let timeRunsOut: Bool
    /// The first fault found: what it is, and the way to it.
    private(set) var fault: String?

    init(runners: Int, clients: UInt8, event: ModelState.Event = .none, flaw: Flaw = .none) {
        let start = ModelState(runners: runners, clients: clients, event: event)
        timeRunsOut = event == .signal
        memory = ModelMemory(start, flaw: flaw)
        visit(start, from: 0, Move(kind: .step, thread: 0, choice: 0), total: clients)
        var next = 0
        while next < states.count, fault == nil {
            expand(Int32(next), total: clients)
            next += 1
        }
        if fault == nil { checkThatAllComeToRest() }
    }

    private mutating func visit(_ reached: ModelState, from: Int32, _ move: Move, total: UInt8) {
        var state = reached
        state.normalizeWords()
        // Of two states in which the runners have changed places one is enough.
        if !state.mainThreadRuns, state.lender == ThreadState.none, state.threads[1].precedes(state.threads[0]) {
            state.threads.swapAt(0, 1)
        }
        let (number, isNew) = table.insert(state)
        if isNew {
            origins.append((from, move))
            if let wrong = memory.violation ?? state.contradiction(total: total) { fail(wrong, at: number) }
        }
        if move.isSure, number != from { sureMoves.append((from, number)) }
    }

    private mutating func expand(_ number: Int32, total: UInt8) {
        let state = states[Int(number)]
        guard !state.hasEnded else {
            resting.append(number)
            return
        }
        var isAtRest = true
        for thread in state.threads.indices {
            let own = state.threads[thread]
            if own.delayed != .none {
                isAtRest = false
                follow(number, .flush, thread, total)
            }
            if own.sleep != .awake {
                if state.isDue(thread) {
                    isAtRest = false
                    follow(number, .due, thread, total)
                } else {
                    follow(number, .wakeUp, thread, total)
                }
            } else if own.place != .gone {
                // When the other thread begins is open.
                let isSure = thread != ModelState.other || own.count > 0
                if isSure { isAtRest = false }
                var choice = 0
                repeat {
                    memory.prepare(state, thread: thread, choice: choice)
                    memory.run()
                    visit(
                        memory.state, from: number,
                        Move(kind: isSure ? .step : .request, thread: UInt8(thread), choice: UInt8(choice)),
                        total: total)
                    choice += 1
                } while choice < memory.outcomes
            }
        }
        if state.relay.exists {
            for kind in ModelState.otherMoves where state.canHappen(kind) { follow(number, kind, 0, total) }
        }
        if state.unsent > 0, !state.isClosing, !state.relay.isParting { follow(number, .request, 0, total) }
        if timeRunsOut, state.isDraining, !state.isOverdue { follow(number, .timeUp, 0, total) }
        guard isAtRest else { return }
        resting.append(number)
        if let wrong = state.disorder { fail("at rest: " + wrong, at: number) }
    }

    private mutating func follow(_ number: Int32, _ kind: Move.Kind, _ thread: Int, _ total: UInt8) {
        let move = Move(kind: kind, thread: UInt8(thread), choice: 0)
        visit(result(of: move, in: states[Int(number)]), from: number, move, total: total)
    }

    private func result(of move: Move, in state: ModelState) -> ModelState {
        memory.prepare(state, thread: Int(move.thread), choice: Int(move.choice))
        switch move.kind {
        case .step: memory.run()
        case .flush: memory.flush(Int(move.thread))
        case .due, .wakeUp: ModelMemory.wake(Int(move.thread), in: &memory.state)
        case .timeUp:
            memory.state.isOverdue = true
            // `Attendant.run` sees it, and ends the worker: `Crew.end`.
            if !state.mainThreadRuns {
                memory.state.isOver = true
                memory.state.waker = true
            }
        case .request:
            memory.state.unsent -= 1
            memory.state.sent += 1
        case .asksOther, .otherAdopts, .otherPosts, .otherAnswers, .otherLeaves, .otherEnds:
            memory.state.happen(move.kind)
        }
        return memory.state
    }

    private mutating func checkThatAllComeToRest() {
        var sources: [[Int32]] = Array(repeating: [], count: states.count)
        for (from, to) in sureMoves { sources[Int(to)].append(from) }
        var comes = Array(repeating: false, count: states.count)
        var queue = resting
        for number in queue { comes[Int(number)] = true }
        while let number = queue.popLast() {
            for source in sources[Int(number)] where !comes[Int(source)] {
                comes[Int(source)] = true
                queue.append(source)
            }
        }
        if let lost = comes.firstIndex(of: false) { fail("never comes to rest", at: Int32(lost)) }
    }

    private mutating func fail(_ text: String, at number: Int32) {
        if fault == nil { fault = text + "\n" + way(to: number) }
    }

    /// The shortest way to a state, a line for each move.
    private func way(to number: Int32) -> String {
        var moves: [(from: Int32, move: Move)] = []
        var number = number
        while number != 0 {
            moves.append(origins[Int(number)])
            number = origins[Int(number)].from
        }
        return moves.reversed().map { origin in
            let thread = ["first runner", "second runner", "pilot", "another"][Int(origin.move.thread)]
            let state = states[Int(origin.from)]
            switch origin.move.kind {
            case .step:
                _ = result(of: origin.move, in: state)
                return "  \(thread), \(state.threads[Int(origin.move.thread)].place): \(memory.step)"
            default: return "  \(thread), \(state.threads[Int(origin.move.thread)].sleep): \(origin.move.kind)"
            }
        }.joined(separator: "\n")
    }
}

extension ModelState {
    /// Whether a thread's sleep ends by itself.
    func isDue(_ thread: Int) -> Bool {
        switch threads[thread].sleep {
        case .forTick: true
        // Time that is up is seen at the next nap; that is what the nap is for.
        case .untilEvent: hasEvent || isOverdue
        case .untilOffer: isOver
        case .awake, .untilUnparked, .inApplication: false
        }
    }

    /// What no state may be.
    func contradiction(total: UInt8) -> String? {
        var holders = 0
        var inHand: UInt8 = 0
        for thread in threads.indices {
            let place = threads[thread].place
            if place.hasBaton { holders += 1 }
            switch place {
            case .promoting, .lending, .lendingForLong, .inApplication, .recovering, .finishing: inHand += 1
            case .returning where threads[thread].count == 0: inHand += 1
            default: break
            }
        }
        if holders > 1 { return "two threads have the baton" }
        if running != inHand + returned { return "a request is lost, or given back twice" }
        if unsent + sent + arrived + held + running + relay.count != total { return "requests do not add up" }
        return relayContradiction
    }

    /// What is wrong with a state in which every thread sleeps.
    var disorder: String? {
        if isOver {
            let stays = Self.runners.contains { threads[$0].place != .gone && threads[$0].sleep != .inApplication }
            return stays ? "a runner stays though it is over" : nil
        }
        let pollers = threads.indices.filter { threads[$0].sleep == .untilEvent }
        guard pollers.count == 1 else { return "nobody listens" }
        if wakerInBatch || arrived > 0 { return "events were read and forgotten" }
        if returned > 0 { return "a connection that was returned waits" }
        if pollers[0] == Self.pilot {
            if threads.indices.contains(where: { threads[$0].sleep == .untilOffer }) {
                return "a runner waits while the pilot has the baton"
            }
        } else if held > 0 {
            return "a request waits for a runner that idles"
        }
        if let wrong = relayDisorder(pilotListens: pollers[0] == Self.pilot) { return wrong }
        if isDraining, !isClosing, !relay.isParting { return "nobody noticed that the worker drains" }
        if isDraining, running + held + relay.heldAdopted == 0 { return "a drained worker does not leave" }
        return nil
    }
}
