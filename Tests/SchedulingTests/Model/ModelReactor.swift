@testable import Scheduling

/// The reactor as far as the baton is concerned: requests come in, complete at once, and are answered; the waker ends a
/// wait.
extension ModelMemory {
    enum Event: UInt8 {
        case none, request
        /// Something that brought no request: the waker, a relay that is empty.
        case other
    }

    private enum Source { case request, waker, relay }

    /// `Reactor.next` and `Reactor.serve`: one event of the batch, in either order.
    ///
    /// - Parameter holds: a thread that cannot run the application keeps complete requests for one that can.
    func nextEvent(holds: Bool) -> Event {
        let event = step(
            "take the next event", isQuiet: !state.wakerInBatch && !state.relay.isInBatch
        ) { state in
            if !holds, state.held + state.relay.heldAdopted > 0 {
                takeHeld(&state)
                return Event.request.rawValue
            }
            var sources: [Source] = []
            if state.arrived > 0 { sources.append(.request) }
            if state.wakerInBatch { sources.append(.waker) }
            if state.relay.isInBatch { sources.append(.relay) }
            guard !sources.isEmpty else { return Event.none.rawValue }
            switch sources[choose(sources.count)] {
            case .waker:
                state.wakerInBatch = false
                state.waker = false
                return Event.other.rawValue
            case .request:
                state.arrived -= 1
                if holds { state.held += 1 } else { state.running += 1 }
                return Event.request.rawValue
            case .relay:
                return (adoptSome(&state, holds: holds) ? Event.request : .other).rawValue
            }
        }
        return Event(rawValue: event)!
    }

    /// Which of them is the oldest is open.
    private func takeHeld(_ state: inout ModelState) {
        let isChoice = state.held > 0 && state.relay.heldAdopted > 0
        if state.held > 0, !isChoice || choose(2) == 0 { state.held -= 1 } else { state.relay.heldAdopted -= 1 }
        state.running += 1
    }

    func poll(ignoringHeld: Bool) {
        updateRelay()
        wait("poll", .untilEvent) {
            $0.arrived > 0 || (!ignoringHeld && $0.held + $0.relay.heldAdopted > 0) || $0.hasEvent
        }
        store("read the events", isQuiet: true) { state in
            state.relay.isInBatch = state.relayHasEvent
            state.wakerInBatch = state.waker
            state.arrived += state.sent
            state.sent = 0
        }
    }

    func finish(_ state: inout ModelState) {
        guard state.running > 0 else { return violate("a request was given back twice") }
        state.running -= 1
        state.unsent += 1
    }

    /// `Returns.takeAll`, and `Reactor.finish` for each.
    func settleReturns() {
        guard load("load the returns' mark", { $0.returnsMarked }) else { return }
        store("take the returns") { state in
            state.returnsMarked = false
            while state.returned > 0 {
                state.returned -= 1
                self.finish(&state)
            }
        }
    }

    /// `Crew.isDone`.
    func isDone() -> Bool {
        if state.relay.exists { return isDoneSharing() }
        return step("look whether to leave") { state in
            if state.isOver { return 1 }
            guard state.isDraining else { return 0 }
            if !state.isClosing {
                state.isClosing = true
                // What has come this very moment is read before its connection is given up.
                state.arrived += state.sent
                state.sent = 0
            }
            return state.isOverdue || state.running + state.held + state.arrived == 0 ? 1 : 0
        } != 0
    }
}

extension ModelState {
    /// Whether the poller has something to tell.
    var hasEvent: Bool { waker || sent > 0 || relayHasEvent || triesAgain }

    fileprivate var relayHasEvent: Bool { relay.isWatched && relay.parcels > 0 }
}
