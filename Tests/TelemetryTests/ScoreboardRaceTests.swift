import Platform
import Synchronization
import Testing

@testable import Telemetry

/// Readers beside writers that never stop.
@Suite struct ScoreboardRaceTests {
    private final class Flag: Sendable {
        let stop = Atomic<Bool>(false)
        let ended = Atomic<Int>(0)
    }

    /// How often is read at least, and until something was seen: the writer may get the processor late.
    private static let reads = 3000

    private func run(_ board: Board, _ writer: @escaping @Sendable () -> Void, _ reads: () throws -> Void) throws {
        let flag = Flag()
        try Thread.start(name: "writer") {
            while !flag.stop.load(ordering: .relaxed) { writer() }
            flag.ended.store(1, ordering: .releasing)
            withExtendedLifetime(board) {}
        }
        defer {
            flag.stop.store(true, ordering: .relaxed)
            while flag.ended.load(ordering: .acquiring) == 0 {}
        }
        try reads()
    }

    /// Every exchange's words name the same letter.
    @Test func aReaderNeverSeesHalfOfAnExchange() throws {
        let board = Board(slots: 1)
        let cell = try board.worker(200)
        let paths = (0..<26).map { [UInt8](repeating: 97 + UInt8($0), count: 20 + 4 * $0) }
        let reader = try board.reader()
        var seen: Set<UInt8> = []
        try run(board) {
            for (index, path) in paths.enumerated() {
                path.withUnsafeBytes {
                    cell.beginExchange(
                        0, phase: .application, method: .get, path: $0,
                        client: .ipv6(UInt128(index) << 64 | UInt128(index), port: UInt16(index)), thread: Int32(index),
                        number: index, began: UInt64(index), now: UInt64(index))
                }
            }
        } _: {
            let deadline = Clock.now() + .seconds(60)
            var count = 0
            while count < Self.reads || seen.count < 2, Clock.now() < deadline {
                count += 1
                guard let exchange = reader.snapshot().workers[0].exchanges.first else { continue }
                let index = exchange.number
                seen.insert(UInt8(index))
                let isWhole =
                    exchange.path == paths[index] && exchange.client.port == UInt16(index)
                    && exchange.client.address == UInt128(index) << 64 | UInt128(index)
                    && exchange.thread == Int32(index) && exchange.began == UInt64(index)
                    && exchange.phaseBegan == UInt64(index)
                if !isWhole {
                    Issue.record("torn: \(exchange)")
                    break
                }
            }
        }
        #expect(seen.count > 1)
    }

    /// A worker is replaced again and again; what all of them served never becomes less.
    @Test func countersNeverGoBack() throws {
        let board = Board(cells: 1)
        let reader = try board.reader()
        let served = Served()
        var last: UInt64 = 0
        try run(board) {
            guard let index = board.arbiter.assign(generation: 1, now: 1) else { return }
            let cell = board.arbiter.cell(index)
            for _ in 0..<5 { cell.countRequest(.get, status: 200, waited: 1, application: 1, total: 1) }
            served.count.wrappingAdd(5, ordering: .relaxed)
            board.arbiter.retire(index, .recycled)
        } _: {
            let deadline = Clock.now() + .seconds(60)
            var count = 0
            while count < Self.reads || last == 0, Clock.now() < deadline {
                count += 1
                let requests = reader.snapshot().total.requests
                if requests < last {
                    Issue.record("\(requests) after \(last)")
                    break
                }
                last = requests
            }
        }
        let total = served.count.load(ordering: .relaxed)
        #expect(last > 0)
        #expect(reader.snapshot().total.requests == total)
    }

    private final class Served: Sendable { let count = Atomic<UInt64>(0) }
}
