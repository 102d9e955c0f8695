/// Whether the server can take requests: what a load balancer asks.
public enum Readiness: Equatable, Sendable {
    /// A worker serves, and had a runner free within the window.
    case ready
    /// No worker has loaded the application yet.
    case starting
    /// The server stops.
    case draining
    /// Every runner of every worker has been in its request for longer than the window.
    case busy
    /// Workers are there, and none of them gives a sign of life.
    case silent

    /// In one word, for the answer.
    public var name: StaticString {
        switch self {
        case .ready: "ready"
        case .starting: "starting"
        case .draining: "draining"
        case .busy: "busy"
        case .silent: "silent"
        }
    }
}

extension ScoreboardReader {
    /// Workers give a sign of life each second. One that missed a few is stopped, or starved.
    static var silenceLimit: UInt64 { 5_000_000_000 }

    /// Reads a few words of each worker, allocates nothing and waits for nobody.
    ///
    /// A runner that has begun a request was free the moment before: so one was free within the window if it is free
    /// now, or began its request within it.
    ///
    /// - Parameters:
    ///   - now: the monotonic clock, nanoseconds.
    ///   - window: nanoseconds.
    public func readiness(at now: UInt64, window: UInt64) -> Readiness {
        guard workersWanted > 0 else { return .draining }
        var serving = 0
        var alive = 0
        var leaving = 0
        for cell in 0..<layout.cellCount {
            let presence = presence(cell)
            if presence.lifetime == .leaving { leaving += 1 }
            guard presence.lifetime == .serving else { continue }
            serving += 1
            let heartbeat = heartbeat(cell)
            guard now < heartbeat &+ max(window, Self.silenceLimit) else { continue }
            alive += 1
            if hadFreeRunner(cell, runners: presence.runners, since: now > window ? now - window : 0) { return .ready }
        }
        if alive > 0 { return .busy }
        if serving > 0 { return .silent }
        return leaving > 0 ? .draining : .starting
    }

    private func hadFreeRunner(_ cell: Int, runners: Int, since moment: UInt64) -> Bool {
        let cell = words.from(layout.cell(cell))
        for slot in 0..<min(runners, layout.slotCount) {
            let slot = cell.from(CellWord.slots + slot * SlotWord.stride)
            let phase = UInt8(truncatingIfNeeded: slot.load(SlotWord.state))
            if phase == ExchangePhase.none.rawValue || slot.load(SlotWord.phaseBegan) >= moment { return true }
        }
        return false
    }
}
