/// A fault that is put into the model, to see that it would be found.
enum Flaw: CaseIterable {
    case none

    // Two steps of a thread change places: a store need not be seen before the next load.
    /// `lend`: the runner looks whether the pilot is parked before its loan is seen.
    case loanNotOrdered
    /// `sleepUntilLent`: the pilot looks whether something is lent before it is seen to park.
    case parkingNotOrdered
    /// `take`: the runner looks whether the pilot keeps the baton before it is seen to wait.
    case waitingNotOrdered

    // Something is forgotten.
    case runnerNotWoken
    case pilotNotWoken
    case pilotNotInterrupted
    case keepingNotShown
    case unwantedOfferIgnored

    // The word.
    /// No fault: loans look alike, as after 2^30 of them, and the epoch makes up for it.
    case sequenceIgnored
    /// And here it does not.
    case epochIgnored
    case wordNotCompared

    // The loops of Sources/Worker.
    /// Between the look at the returns and the poll, the waker is drained.
    case returnsSettledFirst
    /// A runner lets Python run a signal handler with the baton in its hands.
    case handlerRunsWithBaton

    // The relay.
    /// The pilot watches it, and takes parcels that it cannot run.
    case pilotWatchesRelay
    /// The pilot gives the baton away, and nobody watches the relay any more.
    case relayNotWatchedAgain
    /// The pilot keeps what no runner here can begin.
    case stalledNotShared
    /// The last worker leaves without a look into the relay.
    case leftBehind

    static let faults = allCases.filter { $0 != .none && $0 != .sequenceIgnored }

    /// What else must happen for it to show.
    var event: ModelState.Event {
        switch self {
        case .unwantedOfferIgnored: .failure
        case .handlerRunsWithBaton: .chores
        case .pilotWatchesRelay, .relayNotWatchedAgain, .stalledNotShared: .relay
        case .leftBehind: .parting
        default: .none
        }
    }

    /// How many runners are needed: with one it takes fewer clients until something waits.
    var runners: Int { self == .stalledNotShared ? 1 : 2 }

    /// What the explorer says of it.
    var consequence: String {
        switch self {
        case .none, .sequenceIgnored: ""
        case .loanNotOrdered, .parkingNotOrdered, .pilotNotWoken, .runnerNotWoken, .handlerRunsWithBaton:
            "at rest: nobody listens"
        // The pilot finds the offer again and again, and does not park.
        case .unwantedOfferIgnored: "never comes to rest"
        case .waitingNotOrdered, .pilotNotInterrupted, .keepingNotShown:
            "at rest: a runner waits while the pilot has the baton"
        case .epochIgnored: "a runner recovered another's loan"
        case .wordNotCompared: "two threads have the baton"
        case .returnsSettledFirst: "at rest: a connection that was returned waits"
        case .pilotWatchesRelay: "the pilot adopts what it cannot run"
        case .relayNotWatchedAgain: "at rest: a parcel waits for a runner that idles"
        case .stalledNotShared: "at rest: a request waits here that others could begin"
        case .leftBehind: "a parcel is left behind"
        }
    }
}
