public import Platform
public import Telemetry

/// What the workers of one server have in common, as one of them has it: the relay, on which connections go from one to
/// another, the scoreboard, on which each sees what the others are up to, and its own cell there.
public struct Commons: Sendable {
    public let relay: RelayChannel
    public let scoreboard: ScoreboardReader
    public let cell: ScoreboardCell

    public init(relay: RelayChannel, scoreboard: ScoreboardReader, cell: ScoreboardCell) {
        self.relay = relay
        self.scoreboard = scoreboard
        self.cell = cell
    }

    /// Whether another worker serves and stays, and the server does not stop: connections may be left to it.
    public var areOthersServing: Bool {
        scoreboard.workersWanted > 0 && scoreboard.hasOthersServing(besides: cell.index)
    }

    /// Runners of other workers that wait for a request.
    var idleElsewhere: Int { scoreboard.waitingRunners(besides: cell.index) }
}
