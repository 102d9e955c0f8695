@testable import Scheduling

/// What the threads of a worker do with the relay, as `Sources` has it: pieces of the programs in `Programs.swift`.
/// Whoever runs them has the baton, so that only the relay itself and the scoreboard are shared, with the other worker
/// (`RelayState`).
extension ModelMemory {
    // MARK: Crew+Sharing.swift

    /// What it posts depends on how long requests take and on what the scoreboard says: it may be all or nothing.
    func share() {
        // `reactor.share(free: max(0, gauges.count - busy - 1), isStalled: false, baton)`
        guard state.relay.exists else { return }
        _ = step("share what waits behind", isQuiet: !hasSomethingToPost) { state in
            guard choose(2) == 1, state.relay.areOthersServing, !state.relay.isParting else { return 0 }
            self.postWaiting(&state)
            return 0
        }
    }

    func shareStalled() {
        // `reactor.share(free: gauges.count - busy, isStalled: true, baton)`
        guard state.relay.exists, flaw != .stalledNotShared else { return }
        _ = step("share what is stalled", isQuiet: !hasSomethingToPost) { state in
            guard state.relay.areOthersServing, !state.relay.isParting else { return 0 }
            self.postWaiting(&state)
            return 0
        }
    }

    private var hasSomethingToPost: Bool { state.held + state.relay.heldAdopted > 0 }

    /// Of what was adopted nobody knows here how often it was posted before.
    private func postWaiting(_ state: inout ModelState) {
        state.held = state.relay.post(state.held)
        guard state.relay.heldAdopted > 0, choose(2) == 1 else { return }
        state.relay.heldAdopted = state.relay.post(state.relay.heldAdopted)
    }

    // MARK: Reactor+Accept.swift, Reactor+Adopt.swift

    func setAccepting(_ wanted: Bool) {
        // `admission.isWanted = wanted`, `if !wanted { updateAccepting() }`
        guard state.relay.exists, wanted ? flaw != .relayNotWatchedAgain : flaw != .pilotWatchesRelay else { return }
        store("accept or not", isQuiet: true) { state in
            state.relay.isWanted = wanted
            if !wanted { state.relay.isWatched = false }
        }
    }

    /// Before each poll.
    func updateRelay() {
        // `admission.isWanted && !isClosing && sharing.parting == nil && now >= sharing.pausedUntil`
        guard state.relay.exists else { return }
        store("watch the relay or not", isQuiet: true) { state in
            state.relay.isWatched = state.relay.isWanted && !state.isClosing && !state.relay.isParting
        }
    }

    /// An event of a relay that is not watched any more, or that somebody else has emptied, brings nothing.
    ///
    /// - Returns: whether it brought a request.
    func adoptSome(_ state: inout ModelState, holds: Bool) -> Bool {
        // `guard let sharing, sharing.isWatching else { return nil }`
        state.relay.isInBatch = false
        guard state.relay.isWatched, state.relay.parcels > 0 else { return false }
        if thread == ModelState.pilot { violate("the pilot adopts what it cannot run") }
        state.relay.parcels -= 1
        if holds { state.relay.heldAdopted += 1 } else { state.running += 1 }
        return true
    }

    // MARK: Reactor+Parting.swift, Reactor+Closing.swift

    /// `Reactor.leave`, where a worker drains.
    func leaveOrClose() {
        guard load("look whether it leaves", { $0.isDraining }) else { return }
        if load("look whether it closes", { $0.isClosing }) {  // `guard !isClosing else {`
            _ = adoptLeftBehind()  // `if takingBacklog { adoptLeftBehind(baton) }`
            return
        }
        let othersServe = load("look whether others serve") { $0.relay.areOthersServing }
        let wasParting = step("look whether it parts", isQuiet: true) { $0.relay.isParting ? 1 : 0 } != 0
        let isPatient = !wasParting || step("lose patience or not", isQuiet: true) { _ in UInt8(choose(2)) } == 0
        guard othersServe, isPatient else {
            // `return beginClosing(baton, takingBacklog: takingBacklog)`
            store("begin to close") { state in  // `announceLeaving()`, `isClosing = true`
                (state.relay.hasAnnounced, state.isClosing) = (true, true)
                state.relay.isWatched = false
                state.arrived += state.sent
                state.sent = 0
            }
            _ = adoptLeftBehind()  // `if takingBacklog { adoptLeftBehind(baton) }`
            return
        }
        if !wasParting {
            // `sharing.parting = Sharing.Parting(end: Clock.now() + Sharing.patience, retry: 0)`
            store("announce that it leaves") { state in
                (state.relay.hasAnnounced, state.relay.isParting) = (true, true)
                state.relay.isWatched = false
            }
        }
        store("send off") { state in  // `sendOff(Array(connections), sharing)`
            state.held = state.relay.post(state.held)
            state.relay.heldAdopted = state.relay.post(state.relay.heldAdopted)
            state.arrived = state.relay.post(state.arrived)
            state.sent = state.relay.post(state.sent)
        }
    }

    /// - Returns: how many requests that were.
    func adoptLeftBehind() -> UInt8 {
        // `guard let sharing, held.isEmpty, !sharing.commons.areOthersServing else { return 0 }`
        guard flaw != .leftBehind, !load("look whether others serve", { $0.relay.areOthersServing }) else { return 0 }
        return step("adopt one that is left behind") { state in  // `while held.isEmpty {`
            guard state.held + state.relay.heldAdopted == 0, state.relay.parcels > 0 else { return 0 }
            state.relay.parcels -= 1
            state.relay.heldAdopted += 1
            return 1
        }
    }

    // MARK: Crew.swift

    func beginClosing() {
        // `if lifetime.isLeaving { reactor.leave(baton, takingBacklog: lifetime.takesBacklog) }`
        if state.relay.exists { leaveOrClose() } else { _ = isDone() }
    }

    /// Whether a worker that shares is done.
    func isDoneSharing() -> Bool {
        let lifetime = step("look at the lifetime", isFence: false) { $0.isOver ? 2 : $0.isDraining ? 1 : 0 }
        guard lifetime == 1 else { return lifetime == 2 }
        leaveOrClose()  // `reactor.leave(baton, takingBacklog: lifetime.takesBacklog)`
        // `guard reactor.unsettledCount(baton) <= givenUpCount else { return false }`
        let isSettled =
            step("look whether all is settled", isQuiet: true) { state in
                let unread = state.isClosing ? 0 : state.sent
                return state.running + state.held + state.relay.heldAdopted + state.arrived + unread == 0 ? 1 : 0
            } != 0
        // `return !lifetime.takesBacklog || reactor.adoptLeftBehind(baton) == 0`
        return isSettled && adoptLeftBehind() == 0
    }
}
