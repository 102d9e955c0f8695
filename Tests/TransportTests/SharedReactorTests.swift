import HTTPWire
import Platform
import Synchronization
import Testing

@testable import Transport

/// One reactor, several threads that pass the baton. The thread sanitizer watches in `make sanitize`.
@Suite struct SharedReactorTests {
    private static let application: @Sendable (Connection, Workbench) -> Bool = { connection, bench in
        let line = Answer.line(connection, on: bench)
        // Some requests outlast the pilot's tick, by waiting or by computing.
        let now = Clock.now()
        if line.contains("/wait") {
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
        var asked = 0
        var expected = ""

        static let length = 60

        /// Two requests in one piece.
        mutating func ask(_ number: Int) {
            var text = ""
            for _ in 0..<2 {
                let kind = ["/fast", "/wait", "/fast/rest", "/compute", "/fast", "/wait/rest"][(asked + number) % 6]
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
