import Testing

@testable import Telemetry

@Suite struct SlowestTests {
    private static let second: UInt64 = 1_000_000_000

    /// A request that took `duration` seconds and ended at `now`, if it is one of the slowest.
    private func serve(_ cell: ScoreboardCell, _ path: String, took duration: UInt64, at now: UInt64) -> Bool {
        let (duration, now) = (duration * Self.second, now * Self.second)
        guard cell.isSlow(total: duration, now: now) else { return false }
        var path = path
        path.withUTF8 {
            cell.noteSlow(
                method: .get, path: UnsafeRawBufferPointer($0), client: .unix, status: 201, began: now - duration,
                now: now)
        }
        return true
    }

    private func durations(_ board: Board) throws -> [UInt64] {
        try board.reader().snapshot().slowest.map { $0.duration / Self.second }.sorted()
    }

    @Test func keepsTheSlowestOfMany() throws {
        let board = Board()
        let cell = try board.worker(200)
        var asked = 0
        for duration in [5, 1, 9, 3, 7, 2, 8, 4, 6, 12, 1, 1, 11, 3, 10] as [UInt64] {
            if serve(cell, "/\(duration)", took: duration, at: 100) { asked += 1 }
        }
        #expect(try durations(board) == [5, 6, 7, 8, 9, 10, 11, 12])
        // Those that are quick enough are not even looked at.
        #expect(asked == 12)
    }

    @Test func tellsWhatItWas() throws {
        let board = Board()
        let cell = try board.worker(200)
        #expect(serve(cell, "/slow", took: 3, at: 100))
        #expect(
            try board.reader().snapshot().slowest == [
                SlowExchange(
                    method: .get, path: Array("/slow".utf8), pathByteCount: 5, client: .unix, status: 201,
                    duration: 3 * Self.second, ended: 100 * Self.second)
            ])
    }

    @Test func afterAMinuteOthersHaveTheirTurn() throws {
        let board = Board()
        let cell = try board.worker(200)
        for duration in 11...18 as ClosedRange<UInt64> { #expect(serve(cell, "/", took: duration, at: 100)) }
        #expect(!serve(cell, "/", took: 5, at: 160))
        #expect(serve(cell, "/", took: 5, at: 161))
        #expect(try durations(board).contains(5))
        // Every one of the first eight is over: seven more find a place, one after the other.
        for duration in 1...7 as ClosedRange<UInt64> { _ = serve(cell, "/", took: duration, at: 162 + duration) }
        #expect(try durations(board) == [1, 2, 3, 4, 5, 5, 6, 7])
    }

    @Test func theyOutliveTheirWorker() throws {
        let board = Board()
        let cell = try board.worker(200)
        #expect(serve(cell, "/whole", took: 3, at: 100))
        #expect(serve(cell, "/torn", took: 4, at: 100))
        let torn = cell.words.from(CellWord.slowest + SlotWord.stride)
        torn.store(SlotWord.sequence, torn.load(SlotWord.sequence) | 1)
        #expect(try durations(board) == [3])
        board.arbiter.retire(cell.index, .killed)
        #expect(try durations(board) == [3])
        let next = try board.worker(201)
        for duration in 1...7 as ClosedRange<UInt64> { #expect(serve(next, "/", took: duration, at: 101)) }
        #expect(try durations(board) == [1, 2, 3, 3, 4, 5, 6, 7])
    }
}
