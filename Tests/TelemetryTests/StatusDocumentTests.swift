import Foundation
import Testing

@testable import Telemetry

@Suite struct StatusDocumentTests {
    private func document(_ board: Board, now: UInt64) throws -> [String: Any] {
        var out = TextBuffer()
        StatusDocument(
            snapshot: try board.reader().snapshot(), now: now, version: "1.2.3",
            settings: [("bind", "['127.0.0.1:8000']"), ("proc_name", "a \"b\"\n")],
            memory: [.init(cell: 0, resident: 1000, proportional: nil)],
            listeners: [.init(address: "unix:/run/a.sock", backlog: nil, backlogLimit: 128)]
        ).write(to: &out)
        return try #require(try JSONSerialization.jsonObject(with: Data(out.bytes)) as? [String: Any])
    }

    @Test func anEmptyServerIsADocument() throws {
        let document = try document(Board(), now: 0)
        #expect(document["schema"] as? Int == 1)
        for name in ["workers", "exchanges", "slowest"] { #expect((document[name] as? [Any])?.isEmpty == true) }
        #expect(
            (document["settings"] as? [String: String]) == ["bind": "['127.0.0.1:8000']", "proc_name": "a \"b\"\n"])
        let server = try #require(document["server"] as? [String: Any])
        #expect(server["started"] as? String == "2023-11-14T22:13:20+00:00")
        #expect(server["pid"] as? Int == 100)
        let listener = try #require((document["listeners"] as? [[String: Any]])?.first)
        #expect(listener["backlog"] is NSNull && listener["backlog_limit"] as? Int == 128)
    }

    @Test func namesWhatIsUnderWayTheOldestFirst() throws {
        let board = Board()
        let cell = try board.worker(200, generation: 3)
        let path = "/caf\u{e9}/" + String(repeating: "x", count: 200)
        cell.begin(0, path)
        var other = "/older"
        other.withUTF8 {
            cell.beginExchange(
                1, phase: .waiting, method: .get, path: UnsafeRawBufferPointer($0),
                client: .ipv6(0x2001_0db8_0000_0000_0000_0000_0000_0001, port: 80), thread: 78, number: 1, began: 30,
                now: 45)
        }
        cell.noteClientWait(0, began: 500_000_050)
        let document = try document(board, now: 1_000_000_050)
        let exchanges = try #require(document["exchanges"] as? [[String: Any]])
        #expect(exchanges[0]["client_wait_s"] is NSNull && exchanges[1]["client_wait_s"] as? Double == 0.5)
        #expect(exchanges.map { $0["thread"] as? Int } == [78, 77])
        #expect(exchanges[0]["path"] as? String == "/older" && exchanges[0]["path_is_cut"] as? Bool == false)
        #expect(
            exchanges[0]["client"] as? String == "[2001:db8::1]:80" && exchanges[0]["phase"] as? String == "waiting")
        #expect(exchanges[1]["path"] as? String == String(decoding: Array(path.utf8.prefix(128)), as: UTF8.self))
        #expect(exchanges[1]["path_is_cut"] as? Bool == true && exchanges[1]["pid"] as? Int == 200)
        #expect(exchanges[1]["client"] as? String == "127.0.0.1:5000")
        #expect(exchanges[1]["age_s"] as? Double == 1.00000001 && exchanges[1]["phase_age_s"] as? Double == 1)
        let worker = try #require((document["workers"] as? [[String: Any]])?.first)
        #expect(worker["generation"] as? Int == 3 && worker["lifetime"] as? String == "serving")
        #expect(worker["resident_bytes"] as? Int == 1000 && worker["proportional_bytes"] is NSNull)
        #expect(worker["accepting"] as? Bool == true && worker["busy"] as? Int == 2)
    }

    @Test func tellsTheSlowestOfTheLastMinute() throws {
        let board = Board()
        let cell = try board.worker(200)
        let second: UInt64 = 1_000_000_000
        for (path, began, now) in [("/a", 99, 100), ("/b", 90, 120), ("/c", 110, 130)] as [(String, UInt64, UInt64)] {
            let status = path == "/b" ? 0 : 200
            var path = path
            path.withUTF8 {
                cell.noteSlow(
                    method: .get, path: UnsafeRawBufferPointer($0), client: .unknown, status: status,
                    began: began * second, now: now * second)
            }
        }
        let slowest = try #require(try document(board, now: 170 * second)["slowest"] as? [[String: Any]])
        #expect(slowest.map { $0["path"] as? String } == ["/b", "/c"])
        #expect(slowest[0]["status"] is NSNull && slowest[1]["status"] as? Int == 200)
        #expect(slowest[0]["duration_s"] as? Double == 30 && slowest[0]["ended_s_ago"] as? Double == 50)
    }

    @Test(
        arguments: [
            (0, "[::]:1"), (1, "[::1]:1"), (0x2001_0db8_0000_0000_0001_0000_0000_0001, "[2001:db8::1:0:0:1]:1"),
            (0x2001_0db8_0000_0001_0001_0001_0001_0001, "[2001:db8:0:1:1:1:1:1]:1"),
            (0x0001_0000_0000_0000_0000_0000_0000_0000, "[1::]:1"),
            (0xabcd_0000_0000_0001_0000_0000_0000_0002, "[abcd:0:0:1::2]:1"),
            (UInt128.max, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1"),
            (0x1000_0200_0030_0004_0000_0005_0006_0007, "[1000:200:30:4:0:5:6:7]:1"),
        ] as [(UInt128, String)]) func writesAddresses(_ address: UInt128, _ expected: String)
    {
        var out = TextBuffer()
        out.append(ScoreboardClient.ipv6(address, port: 1))
        #expect(String(decoding: out.bytes, as: UTF8.self) == expected)
    }

    @Test func writesOtherClients() {
        var out = TextBuffer()
        for client in [.unix, .unknown, .ipv4(0xCB00_7109, port: 65_535)] as [ScoreboardClient] {
            out.append(client)
            out.append(" ")
        }
        #expect(String(decoding: out.bytes, as: UTF8.self) == "unix unknown 203.0.113.9:65535 ")
    }
}
