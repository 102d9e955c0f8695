@testable import Scheduling

/// The reactor as far as the baton is concerned: requests come in, complete at once, and are answered; the waker ends a
/// wait.
extension ModelMemory {
    enum Event: UInt8 { case none, request, waker }

    /// `Reactor.next` and `Reactor.serve`: one event of the batch, in either order.
    ///
    /// - Parameter holds: a thread that cannot run the application keeps complete requests for one that can.
    func nextEvent(holds: Bool) -> Event {
        let event = step("take the next event", isQuiet: !state.wakerInBatch) { state in
            if !holds, state.held > 0 {
                state.held -= 1
                state.running += 1
                return Event.request.rawValue
            }
            var events: [Event] = []
            if state.arrived > 0 { events.append(.request) }
            if state.wakerInBatch { events.append(.waker) }
            guard !events.isEmpty else { return Event.none.rawValue }
            let event = events[choose(events.count)]
            switch event {
            case .waker:
                state.wakerInBatch = false
                state.waker = false
            default:
                state.arrived -= 1
                if holds { state.held += 1 } else { state.running += 1 }
            }
            return event.rawValue
        }
        return Event(rawValue: event)!
    }

    func poll(ignoringHeld: Bool) {
        wait("poll", .untilEvent) { $0.arrived > 0 || (!ignoringHeld && $0.held > 0) || $0.hasEvent }
        store("read the events", isQuiet: true) { state in
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

    /// `Crew.isDone`, or `Crew.beginClosing` alone.
    func isDone() -> Bool {
        step("look whether to leave") { state in
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
    var hasEvent: Bool { waker || sent > 0 }
}
