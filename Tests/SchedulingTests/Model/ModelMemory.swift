import Platform

@testable import Scheduling

/// The hand-over's memory in the model. It runs the hand-over's own code, one step at a time: a thread's program is run
/// from its last place, the steps that it took since then are answered as they were answered then, one more step is
/// taken, and those that follow have no effect (`isPast`).
///
/// Steps are sequentially consistent, as the hand-over asks for; a `Flaw` can weaken one.
final class ModelMemory: BatonMemory {
    var state: ModelState
    let flaw: Flaw
    private(set) var thread = 0
    /// How many of the thread's steps were answered in this run.
    private var answered = 0
    private var hasStepped = false
    /// The program runs on for nothing: its next step comes another time, or the thread sleeps.
    private(set) var isPast = false
    /// What the step was, for a trace.
    private(set) var step: StaticString = ""
    /// Which of a step's outcomes is to happen, and how many there are.
    private(set) var choice = 0
    private(set) var outcomes = 1
    /// What the step broke.
    private(set) var violation: String?

    init(_ state: ModelState, flaw: Flaw) {
        self.state = state
        self.flaw = flaw
    }

    /// Prepares one step of one thread.
    func prepare(_ state: ModelState, thread: Int, choice: Int) {
        self.state = state
        self.thread = thread
        self.choice = choice
        answered = 0
        hasStepped = false
        isPast = false
        outcomes = 1
    }

    /// The thread goes on at another place.
    func move(to place: Place) {
        state.threads[thread].move(to: place)
        answered = 0
    }

    func violate(_ text: String) {
        if violation == nil { violation = text }
    }

    // MARK: Steps

    /// - Parameters:
    ///   - isQuiet: it neither reads nor writes what another thread may write or read meanwhile, so that it does not
    ///     matter which of them is first: it is taken together with the step before.
    ///   - isFence: earlier stores are seen before it. A load is not.
    ///   - isWord: the result is a word's code.
    ///   - effect: the result; nil when the thread sleeps.
    func step(
        _ name: StaticString, isQuiet: Bool = false, isFence: Bool = true, isWord: Bool = false,
        _ effect: (inout ModelState) -> UInt8?
    ) -> UInt8 {
        guard !isPast else { return 0 }
        if answered < state.threads[thread].count {
            defer { answered += 1 }
            return state.threads[thread].results[answered]
        }
        if !isQuiet {
            guard !hasStepped else {
                isPast = true
                return 0
            }
            hasStepped = true
            step = name
            if isFence { flush(thread) }
        }
        guard let result = effect(&state) else {
            isPast = true
            return 0
        }
        state.threads[thread].record(result, isWord: isWord)
        answered += 1
        return result
    }

    func load(_ name: StaticString, _ effect: (ModelState) -> Bool) -> Bool {
        step(name, isFence: false) { effect($0) ? 1 : 0 } != 0
    }

    func store(
        _ name: StaticString, isQuiet: Bool = false, _ effect: (inout ModelState) -> Void
    ) {
        _ = step(name, isQuiet: isQuiet) {
            effect(&$0)
            return 0
        }
    }

    /// Sleeps, unless `isDue`: whoever wakes the thread records the step.
    func wait(_ name: StaticString, _ sleep: Sleep, unless isDue: (ModelState) -> Bool) {
        let thread = thread
        _ = step(name) { state in
            if isDue(state) { return 0 }
            state.threads[thread].sleep = sleep
            return nil
        }
    }

    /// One of `count` outcomes, each of which is explored.
    func choose(_ count: Int) -> Int {
        guard count > 1 else { return 0 }
        // A quiet step that is taken with another may have a choice of its own.
        defer { outcomes *= count }
        return choice / outcomes % count
    }

    private func wake(_ name: StaticString, _ sleeps: [Sleep], isForgotten: Bool) {
        _ = step(name) { (state) in
            let sleepers = state.threads.indices.filter { sleeps.contains(state.threads[$0].sleep) }
            guard !isForgotten, !sleepers.isEmpty else { return 0 }
            Self.wake(sleepers[choose(sleepers.count)], in: &state)
            return 0
        }
    }

    /// Ends a thread's sleep.
    static func wake(_ thread: Int, in state: inout ModelState) {
        state.threads[thread].sleep = .awake
        state.threads[thread].record(0)
    }

    // MARK: Stores that a flaw delays

    private func delay(_ name: StaticString, _ store: DelayedStore, _ value: UInt8) {
        let thread = thread
        _ = step(name) {
            $0.threads[thread].delayed = store
            $0.threads[thread].delayedValue = value
            return 0
        }
    }

    /// Lets the others see a thread's delayed store.
    func flush(_ thread: Int) {
        let value = state.threads[thread].delayedValue
        switch state.threads[thread].delayed {
        case .none: return
        case .word: state.word = value
        case .pilotParked: state.pilotParked = value != 0
        case .waitingRunner: state.waitingRunners += 1
        }
        state.threads[thread].delayed = .none
        state.threads[thread].delayedValue = 0
    }

    // MARK: The word

    private var sequenceIsIgnored: Bool { flaw == .sequenceIgnored || flaw == .epochIgnored }

    func code(_ word: BatonWord) -> UInt8 { sequenceIsIgnored ? word.code & ~BatonWord.sequenceMask : word.code }

    func loadOwnWord() -> BatonWord {
        BatonWord(code: step("load own word", isQuiet: true, isWord: true) { $0.word })
    }

    func loadWord() -> BatonWord {
        BatonWord(code: step("load word", isFence: false, isWord: true) { $0.word })
    }

    func storeWord(_ word: BatonWord) {
        let (code, lender) = (code(word), UInt8(thread))
        store("store word") {
            if sequenceIsIgnored { $0.lender = lender }
            if flaw != .loanNotOrdered { $0.word = code }
        }
        if flaw == .loanNotOrdered { delay("store word later", .word, code) }
    }

    func replaceWord(_ expected: BatonWord, by desired: BatonWord) -> Bool {
        let (expected, desired) = (code(expected), code(desired))
        let thread = thread
        return step("replace word") { state in
            let isSame =
                switch flaw {
                case .epochIgnored: state.word & ~BatonWord.epochMask == expected & ~BatonWord.epochMask
                case .wordNotCompared: true
                default: state.word == expected
                }
            guard isSame else { return 0 }
            if sequenceIsIgnored, thread != ModelState.pilot, state.lender != thread {
                violate("a runner recovered another's loan")
            }
            state.word = desired
            return 1
        } != 0
    }

    // MARK: The offer

    func storeOffer() { store("store offer") { $0.offered = true } }

    func loadOffer() -> Bool { load("load offer") { $0.offered } }

    func claimOffer() -> Bool {
        // Where nothing is on offer this is a load, and no fence.
        step("claim offer", isFence: state.offered) { state in
            defer { state.offered = false }
            return state.offered ? 1 : 0
        } != 0
    }

    func waitForOffer(timeout: Nanoseconds) {
        wait("wait for offer", .untilOffer) { $0.offered }
    }

    func wakeRunners(count: Int32) {
        wake("wake a runner", [.untilOffer], isForgotten: flaw == .runnerNotWoken)
    }

    // MARK: Waiting runners

    func addWaitingRunner() {
        if flaw == .waitingNotOrdered { return delay("add waiting runner", .waitingRunner, 1) }
        store("add waiting runner") { $0.waitingRunners += 1 }
    }

    func removeWaitingRunner() { store("remove waiting runner") { $0.waitingRunners -= 1 } }

    func hasWaitingRunners() -> Bool { load("load waiting runners") { $0.waitingRunners > 0 } }

    // MARK: The pilot

    func storePilotKeeps(_ keeps: Bool) {
        store("store pilot keeps") { $0.pilotKeeps = keeps && flaw != .keepingNotShown }
    }

    func loadPilotKeeps() -> Bool { load("load pilot keeps") { $0.pilotKeeps } }

    func interruptPilot() {
        store("interrupt the pilot") { if flaw != .pilotNotInterrupted { $0.waker = true } }
    }

    func storePilotParked(_ parked: Bool) {
        if flaw == .parkingNotOrdered, parked { return delay("store pilot parked", .pilotParked, 1) }
        store("store pilot parked") { $0.pilotParked = parked }
    }

    func loadPilotParked() -> Bool { load("load pilot parked") { $0.pilotParked } }

    func waitWhileParked(timeout: Nanoseconds) {
        wait("wait while parked", .untilUnparked) { !$0.pilotParked }
    }

    func waitWhileNotParked(timeout: Nanoseconds) {
        wait("wait for a tick", .forTick) { $0.pilotParked }
    }

    func wakeSleepingPilot() {
        wake("wake the pilot", [.untilUnparked, .forTick], isForgotten: flaw == .pilotNotWoken)
    }
}
