/// What a worker of the model has to do with the other one of its server: the relay between them, and as much of the
/// other as can be seen from here. That one does what it likes when it likes, or nothing at all: it takes parcels,
/// posts requests of its own, answers them, and perhaps leaves.
struct RelayState {
    /// How far the other worker is in leaving (`ScoreboardPresence`): it posts what it has, ends what is left behind,
    /// and is gone.
    enum Other: UInt8 { case absent, serving, leaving, gone }

    /// Parcels that the relay holds at most: few, so that it is full at times.
    static let capacity: UInt8 = 1

    var other = Other.absent
    /// Complete requests that were posted and that nobody has adopted.
    var parcels: UInt8 = 0
    /// Requests that the other worker has.
    var elsewhere: UInt8 = 0
    /// Complete requests here, of connections that were adopted and not served since: these are not posted for ever
    /// (`SharingPolicy.hopLimit`).
    var heldAdopted: UInt8 = 0
    /// `Admission.isWanted`, and whether the poller has the relay.
    var isWanted = true
    var isWatched = false
    /// The poller has told of it.
    var isInBatch = false
    /// The others were told that this worker leaves, and it posts what it has (`Sharing.parting`).
    var hasAnnounced = false
    var isParting = false

    init(exists: Bool) { other = exists ? .serving : .absent }

    var exists: Bool { other != .absent }
    /// `Commons.areOthersServing`.
    var areOthersServing: Bool { other == .serving }
    var isFull: Bool { parcels == Self.capacity }
    /// Requests that are neither with a client nor in the rest of this worker.
    var count: UInt8 { parcels + elsewhere + heldAdopted }

    /// Takes as many requests as there is room for.
    ///
    /// - Returns: how many stay.
    mutating func post(_ requests: UInt8) -> UInt8 {
        let posted = min(requests, Self.capacity - parcels)
        parcels += posted
        return requests - posted
    }
}

extension ModelState {
    /// What the other worker can do.
    static let otherMoves: [Move.Kind] = [
        .asksOther, .otherAdopts, .otherPosts, .otherAnswers, .otherLeaves, .otherEnds,
    ]

    func canHappen(_ kind: Move.Kind) -> Bool {
        switch kind {
        case .asksOther: unsent > 0 && relay.areOthersServing
        // At its end it takes parcels only where nobody else does.
        case .otherAdopts:
            relay.parcels > 0 && (relay.other == .serving || relay.other == .leaving && relay.hasAnnounced)
        // It may have looked at the scoreboard just before this worker said there that it leaves.
        case .otherPosts: relay.elsewhere > 0 && !relay.isFull && relay.other != .gone
        case .otherAnswers: relay.elsewhere > 0
        case .otherLeaves: relay.other == .serving && otherMayLeave
        case .otherEnds:
            relay.other == .leaving && relay.elsewhere == 0 && (relay.parcels == 0 || !relay.hasAnnounced)
        default: false
        }
    }

    mutating func happen(_ kind: Move.Kind) {
        switch kind {
        case .asksOther: (unsent, relay.elsewhere) = (unsent - 1, relay.elsewhere + 1)
        case .otherAdopts: (relay.parcels, relay.elsewhere) = (relay.parcels - 1, relay.elsewhere + 1)
        case .otherPosts: (relay.elsewhere, relay.parcels) = (relay.elsewhere - 1, relay.parcels + 1)
        case .otherAnswers: (relay.elsewhere, unsent) = (relay.elsewhere - 1, unsent + 1)
        case .otherLeaves: relay.other = .leaving
        case .otherEnds: relay.other = .gone
        default: break
        }
    }

    /// What no state may be, of the relay.
    var relayContradiction: String? {
        // Both are gone, or about to go.
        if isOver, relay.other == .gone, relay.parcels > 0 { return "a parcel is left behind" }
        return nil
    }

    /// What of the relay is wrong with a state in which every thread sleeps.
    ///
    /// - Parameter pilotListens: and not a runner.
    func relayDisorder(pilotListens: Bool) -> String? {
        guard relay.exists else { return nil }
        if pilotListens {
            // One that was adopted may have been posted as often as may be.
            if held > 0, relay.areOthersServing, !relay.isFull, !relay.isParting {
                return "a request waits here that others could begin"
            }
            return nil
        }
        if relay.heldAdopted > 0 { return "a request waits for a runner that idles" }
        if relay.parcels > 0, !relay.isParting, !isClosing { return "a parcel waits for a runner that idles" }
        return nil
    }

    /// The timer of a worker that found the relay full rings (`Sharing.retryInterval`).
    var triesAgain: Bool { relay.isParting && !isClosing && held + relay.heldAdopted + sent > 0 }
}
