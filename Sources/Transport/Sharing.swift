internal import HTTPServer
internal import HTTPWire
internal import Platform
internal import Scheduling
internal import Telemetry

/// One worker's dealings with the others of its server. It belongs to the reactor's data: whoever has the baton
/// touches it.
final class Sharing {
    let commons: Commons
    var policy: SharingPolicy
    /// Whether the relay is watched.
    var isWatching = false
    /// Until when it is left alone: this process has no room for what came.
    var pausedUntil: Nanoseconds = 0
    /// When the log hears again at the earliest that something is wrong with the relay.
    var nextNotice: Nanoseconds = 0
    /// When its connections are counted again.
    var nextCensus: Nanoseconds = 0
    static let censusInterval = Nanoseconds.seconds(1)
    /// What of the worker's exchanges the others were told last.
    var listing = Listing()
    /// What the worker told of itself last.
    private(set) var presence = ScoreboardPresence(lifetime: .serving)
    /// How far the worker is in leaving its connections to others.
    var parting: Parting?
    /// Where parcels are written.
    let message = UnsafeMutableRawBufferPointer.allocate(byteCount: Parcel.sizeLimit, alignment: 64)

    struct Parting {
        /// When it stops trying to leave them to others: the rest ends here.
        let end: Nanoseconds
        /// When those are tried again that found the relay full; nil when there are none.
        var retry: Nanoseconds?
    }

    /// How long a worker tries to leave its connections to others.
    static let patience = Nanoseconds.seconds(2)
    /// How long it waits after the relay was full.
    static let retryInterval = Nanoseconds.milliseconds(5)
    /// How long the relay is left alone by a worker that has no descriptor free for a connection.
    static let pause = Nanoseconds.milliseconds(200)
    /// Parcels that one event may bring: those that wait for a client cost little, and the first that is a complete
    /// request ends it.
    static let share = 16

    init(_ commons: Commons, workers: Int) {
        self.commons = commons
        // All that waits goes into one queue where requests are long enough for that: see docs/performance.md.
        policy = SharingPolicy(workers: workers, queuesInRelay: true)
    }

    deinit {
        message.deallocate()
    }

    /// Tells the others what this worker is up to, and takes note of how many they are.
    func announce(isLeaving: Bool, accepting: Bool, runners: Int, busy: Int, waiting: Int) {
        // Their number may change while they serve (TTIN, TTOU).
        policy.workers = commons.scoreboard.workersWanted
        announce(
            ScoreboardPresence(
                lifetime: isLeaving || parting != nil ? .leaving : .serving, accepting: accepting, runners: runners,
                busy: busy, waiting: waiting))
    }

    /// Tells the others; nothing is written that they know.
    @inline(__always)
    func announce(_ presence: ScoreboardPresence) {
        guard presence != self.presence else { return }
        self.presence = presence
        commons.cell.setPresence(presence)
    }

    /// Whether to complain: once a minute is enough.
    func isNews(_ now: Nanoseconds) -> Bool {
        guard now >= nextNotice else { return false }
        nextNotice = now + .seconds(60)
        return true
    }
}
