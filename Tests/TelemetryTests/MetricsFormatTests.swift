import Foundation
import Testing

@testable import Telemetry

/// Byte by byte what stands in Tests/Expected, which tests/unit/test_metrics_text.py reads with Prometheus' own
/// parsers.
@Suite struct MetricsFormatTests {
    private static func snapshot() throws -> MetricsInput {
        let board = Board(cells: 3, slots: 2)
        board.arbiter.setGeneration(2, workersWanted: 2)
        board.arbiter.countReload()
        let former = try board.worker(199)
        former.countRequest(.get, status: 200, waited: 1000, application: 20_000, total: 30_000)
        former.countAccepted()
        board.arbiter.retire(former.index, .recycled)
        let first = try board.worker(200, generation: 2, waiting: 1)
        let second = try board.worker(201, generation: 2)
        second.setPresence(ScoreboardPresence(lifetime: .leaving, runners: 2, busy: 1))
        for cell in [first, second] {
            cell.countAccepted()
            cell.countBytes(in: 500, out: 12_000)
            cell.countRequest(.post, status: 503, waited: 3_000_000, application: nil, total: 70_000_000_000)
            cell.countRequest(.other, status: 0, waited: nil, application: 1_500_000_001, total: 1_500_000_002)
            cell.countRefusal(0)
            cell.countRefusal(2)
            cell.countTimeout(.head)
            cell.moveConnection(from: nil, to: .running)
            cell.changeSpool(by: 70_000)
            cell.changeBuffers(by: 512)
            cell.countDroppedLogLines(3)
        }
        first.countRelayedOut()
        first.countRelayFull()
        second.countRelayedIn()
        first.begin(0, "/slow")
        second.begin(1, "/waiting", phase: .waiting)
        first.heartbeat(2_000_000_000)
        return MetricsInput(
            snapshot: try board.reader().snapshot(), now: 2_250_000_006, version: "1.2.3",
            refusals: ["head-too-large", "missing-host", "an \"id\" with \\ and\nmore"],
            memory: [
                .init(cell: 0, resident: 30_000_000, proportional: 12_500_000),
                .init(cell: 1, resident: 31_000_000, proportional: nil),
            ],
            listeners: [
                .init(address: "http://127.0.0.1:8000", backlog: 3, backlogLimit: 2048),
                .init(address: "unix:/run/app.sock", backlog: nil, backlogLimit: nil),
            ])
    }

    /// Set MONOCEROS_RECORD to write the file anew, and look at the difference.
    @Test(arguments: [(MetricsFormat.prometheus, "metrics.prometheus.txt"), (.openMetrics, "metrics.openmetrics.txt")])
    func writesWhatIsExpected(_ format: MetricsFormat, _ file: String) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let url = root.appendingPathComponent("Expected").appendingPathComponent(file)
        var out = TextBuffer()
        format.write(try Self.snapshot(), to: &out)
        let written = String(decoding: out.bytes, as: UTF8.self)
        if ProcessInfo.processInfo.environment["MONOCEROS_RECORD"] != nil {
            try written.write(to: url, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: url, encoding: .utf8) == written)
    }

    @Test func namesItsContentType() {
        #expect(MetricsFormat.prometheus.contentType.description.contains("version=0.0.4"))
        #expect(MetricsFormat.openMetrics.contentType.description.contains("application/openmetrics-text"))
    }

    /// More restarts, clients and paths make no more series.
    @Test func cardinalityIsBounded() throws {
        func series(_ input: MetricsInput) -> Int {
            var out = TextBuffer()
            MetricsFormat.prometheus.write(input, to: &out)
            return String(decoding: out.bytes, as: UTF8.self).split(separator: "\n").count { !$0.hasPrefix("#") }
        }
        let board = Board(cells: 1, slots: 1)
        var counts: Set<Int> = []
        for round in 0..<50 {
            let cell = try board.worker(Int32(1000 + round), generation: UInt64(round))
            cell.begin(0, "/path/\(round)")
            cell.countRefusal(round)
            cell.countRequest(
                MethodClass.allCases[round % 8], status: 100 + round * 9, waited: 1, application: 1, total: 1)
            counts.insert(
                series(
                    MetricsInput(
                        snapshot: try board.reader().snapshot(), now: 0, version: "1", refusals: ["a", "b"])))
            board.arbiter.retire(cell.index, .asked)
        }
        #expect(counts.count == 1)
    }
}
