internal import Platform
internal import Telemetry
internal import Transport

/// What is made of a runner's waits for its client: they are no time of its request's, and the operator sees them.
final class ClientWaits: ClientWaitObserver {
    private let gauge: RunnerGauge
    private let cell: ScoreboardCell?
    private let slot: Int

    /// - Parameter slot: the runner's number in the cell.
    init(gauge: RunnerGauge, cell: ScoreboardCell?, slot: Int) {
        self.gauge = gauge
        self.cell = cell
        self.slot = slot
    }

    func clientWait(since moment: Nanoseconds?) { cell?.noteClientWait(slot, began: moment ?? 0) }

    func noteClientWait(_ duration: Nanoseconds) { gauge.exclude(duration) }
}
