import Platform
import Telemetry

@testable import Transport

/// Two workers of one server, in one process: two loops with a relay and a scoreboard in common. The second has a
/// listener of its own, so that a test says who gets a connection.
final class LoopbackServer {
    let relay: RelayChannel
    let first: ForeignLoop
    let second: ForeignLoop
    private let memory: SharedMapping
    private let board: ScoreboardArbiter

    init(
        trust: PeerTrust = [], relay: RelayChannel? = nil,
        _ configure: (inout TransportConfiguration) -> Void = { _ in }
    ) throws {
        let layout = ScoreboardLayout(cells: 2, slots: 1)
        memory = try SharedMapping(byteCount: layout.byteCount)
        board = ScoreboardArbiter(memory.base, layout, process: 1, started: 0)
        board.setGeneration(1, workersWanted: 2)
        self.relay = try relay ?? RelayChannel()
        let reader = try ScoreboardReader(memory.base, byteCount: memory.byteCount)
        var loops: [ForeignLoop] = []
        for number in 0..<2 {
            let index = board.assign(generation: 1, now: 1) ?? 0
            let cell = board.cell(index)
            cell.open(process: Int32(number + 1), generation: 1, started: 0, now: 1)
            let commons = Commons(relay: self.relay, scoreboard: reader, cell: cell)
            loops.append(try ForeignLoop(trust: trust, commons: commons, configure))
        }
        (first, second) = (loops[0], loops[1])
        first.announce(waiting: 0)
        second.announce(waiting: 1)
    }

    deinit {
        relay.close()
    }

    var counters: [CounterSnapshot] { (0..<2).map { reader.worker($0).counters } }

    private var reader: ScoreboardReader { first.reactor.sharing!.commons.scoreboard }

    /// The server stops: nobody will take a connection.
    func stop() { board.setGeneration(1, workersWanted: 0) }

    /// Takes turns of both.
    func run(until isDone: () throws -> Bool) rethrows -> Bool {
        let deadline = Clock.now() + .seconds(ForeignLoop.patience)
        while try !isDone() {
            if Clock.now() > deadline { return false }
            first.turn()
            second.turn()
        }
        return true
    }
}
