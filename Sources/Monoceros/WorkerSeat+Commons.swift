internal import Arbiter
internal import Platform
internal import Telemetry
internal import Transport

extension WorkerSeat {
    /// Opens this worker's cell on the scoreboard; nil where there is none.
    func openCell() -> Commons? {
        guard let shared else { return nil }
        let cell = shared.means.cell(shared.cell)
        cell.open(
            process: Process.id, generation: UInt64(generation), started: Clock.wallSeconds(), now: Clock.now())
        return Commons(relay: shared.means.relay, scoreboard: shared.means.scoreboard, cell: cell)
    }
}
