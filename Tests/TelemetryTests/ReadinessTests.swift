import Telemetry
import Testing

/// Times are in seconds here.
struct ReadinessTests {
    private final class Board {
        let memory: UnsafeMutableRawPointer
        let layout = ScoreboardLayout(cells: 2, slots: 2)
        let arbiter: ScoreboardArbiter
        let reader: ScoreboardReader

        init() throws {
            memory = .allocate(byteCount: layout.byteCount, alignment: 64)
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: layout.byteCount)
            arbiter = ScoreboardArbiter(memory, layout, process: 1, started: 0)
            reader = try ScoreboardReader(memory, byteCount: layout.byteCount)
        }

        deinit { memory.deallocate() }

        func serve(_ lifetime: CellLifetime = .serving, seen: UInt64) -> ScoreboardCell {
            arbiter.setGeneration(1, workersWanted: 1)
            let index = arbiter.assign(generation: 1, now: 0)!
            let cell = ScoreboardCell(memory, layout, index: index)
            cell.open(process: 2, generation: 1, started: 0, now: 0)
            cell.heartbeat(seen * 1_000_000_000)
            cell.setPresence(ScoreboardPresence(lifetime: lifetime, runners: 2))
            return cell
        }

        func at(_ second: UInt64) -> Readiness {
            reader.readiness(at: second * 1_000_000_000, window: 10_000_000_000)
        }
    }

    private func begin(_ cell: ScoreboardCell, _ slot: Int, at second: UInt64) {
        cell.beginExchange(
            slot, phase: .application, method: .get, path: UnsafeRawBufferPointer(start: nil, count: 0), client: .unix,
            thread: 1, number: 1, began: second * 1_000_000_000, now: second * 1_000_000_000)
    }

    @Test func aServerWithoutWorkersStartsOrStops() throws {
        let board = try Board()
        #expect(board.at(100) == .draining)
        board.arbiter.setGeneration(1, workersWanted: 1)
        #expect(board.at(100) == .starting)
        _ = board.serve(.booting, seen: 100)
        #expect(board.at(100) == .starting)
    }

    @Test func aFreeRunnerMakesItReady() throws {
        let board = try Board()
        let cell = board.serve(seen: 100)
        #expect(board.at(100) == .ready)
        begin(cell, 0, at: 1)
        #expect(board.at(100) == .ready)
    }

    /// Under full load each runner is free for a moment between two requests.
    @Test func runnersThatBeginRequestsAreProgress() throws {
        let board = try Board()
        let cell = board.serve(seen: 100)
        begin(cell, 0, at: 50)
        begin(cell, 1, at: 95)
        #expect(board.at(100) == .ready)
        #expect(board.at(105) == .ready)
        cell.heartbeat(106_000_000_000)
        #expect(board.at(106) == .busy)
        cell.endExchange(1)
        #expect(board.at(106) == .ready)
    }

    @Test func stoppedWorkersAreSilent() throws {
        let board = try Board()
        _ = board.serve(seen: 100)
        #expect(board.at(109) == .ready)
        #expect(board.at(110) == .silent)
    }

    @Test func aServerThatStopsDrains() throws {
        let board = try Board()
        _ = board.serve(seen: 100)
        board.arbiter.setGeneration(1, workersWanted: 0)
        #expect(board.at(100) == .draining)
    }

    @Test func workersThatLeaveAreNotReady() throws {
        let board = try Board()
        _ = board.serve(.leaving, seen: 100)
        #expect(board.at(100) == .draining)
    }

    @Test func oneReadyWorkerIsEnough() throws {
        let board = try Board()
        _ = board.serve(.leaving, seen: 100)
        _ = board.serve(seen: 100)
        #expect(board.at(100) == .ready)
    }
}
