import Testing

@testable import Telemetry

/// What no runner has: requests that wait, responses that are being sent, connections between two workers.
@Suite struct ScoreboardListTests {
    private func with(
        _ path: String, _ phase: ExchangePhase = .waiting, began: UInt64 = 40, phaseBegan: UInt64 = 50, number: Int = 3,
        _ body: (ListedExchange) -> Void
    ) {
        var path = path
        path.withUTF8 {
            body(
                ListedExchange(
                    phase: phase, method: .post, path: UnsafeRawBufferPointer($0),
                    client: .ipv4(0x7F00_0001, port: 5000), number: number, began: began, phaseBegan: phaseBegan))
        }
    }

    private func text(_ exchange: ExchangeSnapshot) -> String { String(decoding: exchange.path, as: UTF8.self) }

    @Test func showsWhatWaitsAndWhatIsSent() throws {
        let board = Board()
        let cell = try board.worker(200)
        cell.begin(0, "/runs")
        cell.list(waiting: 70, responses: 1) { rows in
            for number in 1...64 { with("/waits/\(number)", number: number) { rows.add($0) } }
            with("/sent/" + String(repeating: "x", count: 200), .response, began: 30, phaseBegan: 35) { rows.add($0) }
        }
        let snapshot = try board.reader().snapshot()
        let worker = try #require(snapshot.workers.first)
        #expect(worker.waiting == 70 && worker.responses == 1 && worker.unreadableSlots == 0)
        #expect(worker.exchanges.count == 66)
        let first = worker.exchanges[1]
        #expect(text(first) == "/waits/1" && first.phase == .waiting && first.method == .post)
        #expect(first.slot == nil && first.thread == 0 && first.number == 1)
        #expect(first.began == 40 && first.phaseBegan == 50 && first.client == .ipv4(0x7F00_0001, port: 5000))
        let last = worker.exchanges[65]
        #expect(last.phase == .response && last.began == 30 && last.phaseBegan == 35)
        #expect(last.path.count == ScoreboardLayout.pathLimit && last.pathByteCount == 206)
        #expect(snapshot.exchangeCount(.waiting) == 70 && snapshot.unlistedCount(.waiting) == 6)
        #expect(snapshot.exchangeCount(.response) == 1 && snapshot.unlistedCount(.response) == 0)
        #expect(snapshot.exchangeCount(.application) == 1)

        cell.list(waiting: 0, responses: 0) { _ in }
        #expect(try board.reader().snapshot().workers[0].exchanges.map(text) == ["/runs"])
    }

    @Test func rowsWithoutRoomAreLeftOut() throws {
        let board = Board()
        let cell = try board.worker(200)
        cell.list(waiting: 500, responses: 0) { rows in
            for number in 1...500 { with("/\(number)") { rows.add($0) } }
        }
        let worker = try #require(try board.reader().snapshot().workers.first)
        #expect(worker.exchanges.count == 2 * ScoreboardLayout.listLimit && worker.waiting == 500)
        // The next worker's cell begins behind it.
        #expect(board.arbiter.presence(1).lifetime == .free)
    }

    @Test func aWorkerThatDiedWhileItWroteIsReadAndCleared() throws {
        let board = Board()
        let cell = try board.worker(200)
        cell.list(waiting: 1, responses: 0) { rows in with("/a") { rows.add($0) } }
        let list = ScoreboardWords(board.memory).from(board.layout.cell(cell.index) + board.layout.listStart)
        list.store(ListWord.sequence, list.load(ListWord.sequence) | 1)
        let worker = try #require(try board.reader().snapshot().workers.first)
        #expect(worker.exchanges.isEmpty && worker.unreadableSlots == 1)
        board.arbiter.retire(cell.index, .killed)
        let successor = try board.worker(201)
        #expect(successor.index == cell.index)
        let after = try #require(try board.reader().snapshot().workers.first)
        #expect(after.exchanges.isEmpty && after.unreadableSlots == 0 && after.waiting == 0)
    }

    // MARK: The relay

    @Test func whatIsInTheRelayIsTheNewestOfAll() throws {
        let board = Board()
        let (one, two) = (try board.worker(200), try board.worker(201))
        with("/adopted", phaseBegan: 1) { one.notePosted($0, messageSize: 100) }
        with("/b", phaseBegan: 2) { two.notePosted($0, messageSize: 200) }
        with("", .none, phaseBegan: 3) { one.notePosted($0, messageSize: 50) }
        with("/c", phaseBegan: 4) { one.notePosted($0, messageSize: 300) }
        let reader = try board.reader()
        #expect(reader.snapshot(relayBytes: 0).relayed.isEmpty)
        #expect(reader.snapshot(relayBytes: 300).relayed.map(text) == ["/c"])
        // One without a request in it takes room and is not told.
        #expect(reader.snapshot(relayBytes: 350).relayed.map(text) == ["/c"])
        let snapshot = reader.snapshot(relayBytes: 550)
        #expect(snapshot.relayed.map(text) == ["/b", "/c"] && snapshot.relayedUnlisted == 0)
        #expect(snapshot.exchangeCount(.waiting) == 2 && snapshot.unlistedCount(.waiting) == 0)
        // A worker that ended has left it to others.
        board.arbiter.retire(two.index, .asked)
        #expect(reader.snapshot(relayBytes: 550).relayed.map(text) == ["/b", "/c"])
        let again = try board.worker(202)
        with("/d", phaseBegan: 5) { again.notePosted($0, messageSize: 10) }
        #expect(reader.snapshot(relayBytes: 560).relayed.map(text) == ["/b", "/c", "/d"])
    }

    @Test func moreThanThereAreRowsForIsCountedAbout() throws {
        let board = Board()
        let cell = try board.worker(200)
        for number in 1...200 {
            with("/\(number)", phaseBegan: UInt64(number)) { cell.notePosted($0, messageSize: 100) }
        }
        let snapshot = try board.reader().snapshot(relayBytes: 20_000)
        #expect(snapshot.relayed.count == ListWord.postedLimit)
        #expect(text(snapshot.relayed[0]) == "/73" && snapshot.relayed.last.map(text) == "/200")
        #expect(snapshot.relayedUnlisted == 72 && snapshot.exchangeCount(.waiting) == 200)
        #expect(snapshot.unlistedCount(.waiting) == 72)
        // Nothing known of what is there.
        let empty = Board()
        let unlisted = try empty.reader().snapshot(relayBytes: 100).relayedUnlisted
        #expect(unlisted == 0)
        // A reader does not keep the memory.
        withExtendedLifetime(empty) {}
    }
}
