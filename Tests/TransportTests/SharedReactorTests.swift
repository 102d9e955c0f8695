import HTTPWire
import Platform
import Synchronization
import Telemetry
import Testing

@testable import Transport

/// One reactor, several threads that pass the baton. The thread sanitizer watches in `make sanitize`.
@Suite struct SharedReactorTests {
    private static let application: @Sendable (Connection, Workbench) -> Bool = { connection, bench in
        let line = Answer.line(connection, on: bench)
        // Some requests outlast the pilot's tick, by waiting or by computing.
        let now = Clock.now()
        // Where all are long, what waits is read ahead and goes to the relay from the runners' hands, too.
        if line.contains("/wait") || line.contains("/long") {
            let word = Atomic<UInt32>(0)
            Futex.wait(word, while: 0, timeout: .milliseconds(2))
        } else if line.contains("/compute") {
            while Clock.now() < now + .microseconds(700) {}
        }
        Array(Answer.text(line).utf8).withUnsafeBytes { bytes in
            // What a full socket would leave: the reactor drains it, whoever has the baton.
            let part = line.contains("/rest") ? bytes.count / 2 : bytes.count
            var sent = 0
            if case .processed(let count)? = try? connection.channel.send(
                UnsafeRawBufferPointer(rebasing: bytes[..<part]))
            {
                sent = count
            }
            connection.outbox.append(copying: UnsafeRawBufferPointer(rebasing: bytes[sent...]))
        }
        return bench.parser.head.isPersistent
    }

    /// What one client asks, and what it is to hear.
    private struct Dialog {
        let client: LoopbackClient
        var kinds = Self.mixed
        var asked = 0
        var expected = ""

        static let length = 60
        static let mixed = ["/fast", "/wait", "/fast/rest", "/compute", "/fast", "/wait/rest"]
        static let long = ["/long", "/long/rest"]

        /// Two requests in one piece.
        mutating func ask(_ number: Int) {
            var text = ""
            for _ in 0..<2 {
                let kind = kinds[(asked + number) % kinds.count]
                let target = "\(kind)/\(number)/\(asked)"
                switch asked % 3 {
                case 0:
                    text += Request.post(target, "hello")
                    expected += Answer.text(Answer.line("POST", target, "inline", Array("hello".utf8)))
                default:
                    text += Request.get(target)
                    expected += Answer.text(Answer.line("GET", target))
                }
                asked += 1
            }
            client.send(text)
        }
    }

    /// Two workers, each with threads of its own, and all clients at the first: what waits goes from one to the other,
    /// and when the first leaves, all of its connections do.
    @Test(arguments: [Dialog.mixed, Dialog.long]) func twoWorkersShareAndTheFirstLeaves(kinds: [String]) throws {
        let layout = ScoreboardLayout(cells: 2, slots: 1)
        let memory = try SharedMapping(byteCount: layout.byteCount)
        let board = ScoreboardArbiter(memory.base, layout, process: 1, started: 0)
        board.setGeneration(1, workersWanted: 2)
        let reader = try ScoreboardReader(memory.base, byteCount: memory.byteCount)
        let relay = try RelayChannel()
        var crews: [LoopbackCrew] = []
        for number in 0..<2 {
            let cell = board.cell(try #require(board.assign(generation: 1, now: 1)))
            cell.open(process: Int32(number + 1), generation: 1, started: 0, now: 1)
            cell.setPresence(ScoreboardPresence(lifetime: .serving, runners: 2, waiting: 2))
            let commons = Commons(relay: relay, scoreboard: reader, cell: cell)
            crews.append(try LoopbackCrew(commons: commons, application: Self.application))
            try crews[number].start(runners: 2)
        }
        var dialogs = try (0..<8).map { _ in Dialog(client: try LoopbackClient(port: crews[0].port), kinds: kinds) }
        let deadline = Clock.now() + .seconds(60)
        var (open, hasLeft) = (true, false)
        while open, Clock.now() < deadline {
            open = false
            for number in dialogs.indices {
                guard dialogs[number].client.has(dialogs[number].expected) else {
                    open = true
                    continue
                }
                guard dialogs[number].asked < Dialog.length else { continue }
                dialogs[number].ask(number)
                open = true
            }
            // In the middle of it.
            if !hasLeft, dialogs[0].asked > Dialog.length / 2 { hasLeft = crews[0].end(seconds: 20) }
            _ = dialogs[0].client.wait(milliseconds: 1)
        }
        for dialog in dialogs { #expect(dialog.client.text == dialog.expected) }
        try #require(hasLeft)
        #expect(reader.worker(0).counters.relayedOut >= 8 && reader.worker(1).counters.relayedIn >= 8)
        board.setGeneration(1, workersWanted: 0)
        #expect(crews[1].end(seconds: 20))
        relay.close()
    }

    @Test(arguments: [1, 3])
    func threadsThatPassTheBatonAnswerEverybody(runners: Int) throws {
        let crew = try LoopbackCrew(application: Self.application)
        try crew.start(runners: runners)
        var dialogs = try (0..<8).map { _ in Dialog(client: try LoopbackClient(port: crew.port)) }
        let deadline = Clock.now() + .seconds(60)
        var open = true
        while open, Clock.now() < deadline {
            open = false
            for number in dialogs.indices {
                guard dialogs[number].client.has(dialogs[number].expected) else {
                    open = true
                    continue
                }
                guard dialogs[number].asked < Dialog.length else { continue }
                dialogs[number].ask(number)
                open = true
            }
            _ = dialogs[0].client.wait(milliseconds: 1)
        }
        let hasEnded = crew.end(seconds: 20)
        for dialog in dialogs { #expect(dialog.client.text == dialog.expected) }
        try #require(hasEnded)
        #expect(crew.retakings > 0)
    }
}
