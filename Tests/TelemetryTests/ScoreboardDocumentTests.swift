import Foundation
import Testing

@testable import Telemetry

/// docs/scoreboard.md is what other readers go by.
@Suite struct ScoreboardDocumentTests {
    @Test func theDocumentSaysWhereEverythingStands() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let url = root.appendingPathComponent("../../docs/scoreboard.md")
        let text = try String(contentsOf: url, encoding: .utf8)
        let words: [(String, Int)] = [
            ("magic", HeaderWord.magic), ("version", HeaderWord.version), ("byte_count", HeaderWord.byteCount),
            ("cell_count", HeaderWord.cellCount), ("slot_count", HeaderWord.slotCount),
            ("cell_stride", HeaderWord.cellStride), ("arbiter_process", HeaderWord.arbiterProcess),
            ("started", HeaderWord.started), ("generation", HeaderWord.generation), ("heartbeat", HeaderWord.heartbeat),
            ("workers_wanted", HeaderWord.workersWanted), ("reloads", HeaderWord.reloads),
            ("fold_sequence", HeaderWord.foldSequence), ("worker_starts", HeaderWord.workerStarts),
            ("worker_ends", HeaderWord.workerEnds), ("retired", ScoreboardLayout.retiredStart),
            ("cells", ScoreboardLayout.cellsStart),
            ("process", CellWord.process), ("worker_generation", CellWord.generation),
            ("worker_started", CellWord.started), ("booted", CellWord.booted), ("worker_heartbeat", CellWord.heartbeat),
            ("presence", CellWord.presence), ("connections", CellWord.connections),
            ("slow_threshold", CellWord.slowThreshold), ("slow_expiry", CellWord.slowExpiry),
            ("spool_bytes", CellWord.spoolBytes), ("buffer_bytes", CellWord.bufferBytes),
            ("counters", CellWord.counters), ("slowest", CellWord.slowest), ("slots", CellWord.slots),
            ("accepted", CounterWord.accepted), ("relayed_out", CounterWord.relayedOut),
            ("relayed_in", CounterWord.relayedIn), ("relay_full", CounterWord.relayFull),
            ("bytes_in", CounterWord.bytesIn), ("bytes_out", CounterWord.bytesOut),
            ("dropped_log_lines", CounterWord.droppedLogLines), ("timeouts", CounterWord.timeouts),
            ("requests", CounterWord.requests), ("application_time", CounterWord.applicationTime),
            ("total_time", CounterWord.totalTime), ("waiting_time", CounterWord.waitingTime),
            ("refusals", CounterWord.refusals),
            ("sequence", SlotWord.sequence), ("began", SlotWord.began), ("state", SlotWord.state),
            ("phase_began", SlotWord.phaseBegan), ("thread", SlotWord.thread), ("address", SlotWord.address),
            ("port", SlotWord.port), ("path", SlotWord.path),
            ("list_sequence", ListWord.sequence), ("list_waiting", ListWord.waiting),
            ("list_responses", ListWord.responses), ("list_rows_used", ListWord.rowCount),
            ("list_posted", ListWord.posted), ("list_rows", ListWord.rows),
            ("list_posted_rows", ListWord.postedRows),
        ]
        for (name, offset) in words {
            #expect(text.contains("\n| `\(name)` | \(offset) | "), "\(name) at \(offset)")
        }
        // And nothing else.
        #expect(text.matches(of: #/\n\| `\w+` \| \d+ \|/#).count == words.count)
        #expect(text.contains("`version` | 1 | \(ScoreboardLayout.version)"))
        #expect(text.contains("`schema` is \(StatusDocument.schema)"))
        #expect(text.contains("\(ListWord.rowLimit) slots"))
        #expect(text.contains("`client_waits`"))
        #expect(text.contains("a ring of \(ListWord.postedLimit) slots"))
        #expect(text.contains("\(CounterWord.refusalCount) words, one for each error identifier"))
    }

    /// Every field of `/status` is in the table, and nothing else is.
    @Test func theDocumentNamesEveryField() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("../../docs/scoreboard.md"), encoding: .utf8)
        let status = text[try #require(text.firstRange(of: "## `/status`")).upperBound...]
        let board = Board()
        let cell = try board.worker(200)
        cell.begin(0, "/a")
        cell.noteSlow(
            method: .get, path: UnsafeRawBufferPointer(start: nil, count: 0), client: .unknown, status: 200, began: 1,
            now: 2)
        var out = TextBuffer()
        StatusDocument(
            snapshot: try board.reader().snapshot(), now: 10, version: "1", settings: [], memory: [],
            listeners: [.init(address: "unix:/run/a.sock", backlog: nil, backlogLimit: nil)]
        ).write(to: &out)
        let document = try #require(try JSONSerialization.jsonObject(with: Data(out.bytes)) as? [String: Any])
        // Settings are named elsewhere.
        for (name, value) in document where name != "schema" && name != "settings" {
            let object = try #require(value as? [String: Any] ?? (value as? [[String: Any]])?.first, "\(name)")
            let row = try #require(status.firstMatch(of: try Regex("\n\\| `\(name)` \\| (.*) \\|\n")))
            let named = (row.output[1].substring ?? "").matches(of: #/`(\w+)`/#).map { String($0.1) }
            #expect(named.sorted() == object.keys.sorted(), "\(name)")
        }
    }

    @Test func theDocumentSaysHowHistogramsAreMade() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("../../docs/scoreboard.md"), encoding: .utf8)
        let bounds = (0..<DurationBuckets.boundCount).map { "\(DurationBuckets.bound($0))" }.joined(separator: ", ")
        #expect(text.contains("\(DurationBuckets.boundCount + 1) buckets (bounds \(bounds) s; the last is beyond)"))
        #expect(CounterWord.totalTime - CounterWord.applicationTime == DurationBuckets.boundCount + 2)
        #expect(CounterWord.waitingTime - CounterWord.totalTime == DurationBuckets.boundCount + 2)
        #expect(CounterWord.refusals - CounterWord.waitingTime == DurationBuckets.boundCount + 2)
    }

    /// The names in the lists of classes are in the order of their words.
    @Test func theDocumentNamesEveryClass() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("../../docs/scoreboard.md"), encoding: .utf8)
        #expect(text.contains(": " + ConnectionClass.allCases.map(\.name.description).joined(separator: ", ") + " |"))
        #expect(text.contains(": " + TimeoutClass.allCases.map(\.name.description).joined(separator: ", ") + " |"))
        #expect(text.contains(": " + WorkerEnd.allCases.map(\.name.description).joined(separator: ", ") + " |"))
        #expect(text.contains("(" + MethodClass.allCases.map(\.name.description).joined(separator: ", ") + ")"))
        let lifetimes = CellLifetime.allCases.map { "\($0.rawValue) \($0.name)" }.joined(separator: ", ")
        #expect(text.contains("(\(lifetimes))"))
        let phases = ExchangePhase.allCases.map { "\($0.rawValue) \($0.name)" }.joined(separator: ", ")
        #expect(text.contains("(\(phases))"))
    }
}
