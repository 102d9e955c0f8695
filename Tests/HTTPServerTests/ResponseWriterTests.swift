import HTTPServer
import HTTPWire
import Testing

/// What may be said when, and what is told of the end.
@Suite struct ResponseWriterTests {
    typealias State = ResponseWriter.State

    static let length = [("Content-Length", "10")]
    static let page = Refusal.applicationError(for: ErrorAudience())

    /// Every state, and how a writer gets there.
    static let states: [State] = [
        .idle, .waiting, .started, .committed(.length(10)), .committed(.chunked), .committed(.none),
        .sending(.length(5)), .sending(.length(0)), .sending(.chunked), .sending(.none), .complete, .short(missing: 5),
        .refused, .cut, .lost(.waiting), .lost(.started), .lost(.committed),
    ]

    static func writer(in state: State) throws -> ResponseWriter {
        var writer = ResponseWriter.begun()
        switch state {
        case .idle: writer.end()
        case .waiting: break
        case .started: try writer.start()
        case .committed(.length):
            try writer.start("200 OK", length)
            writer.commit()
        case .committed(.none), .sending(.none):
            try writer.start("204 No Content")
            writer.commit()
            if case .sending = state { _ = writer.add("") }
        case .committed:
            try writer.start()
            writer.commit()
        case .sending(.length(let rest)):
            try writer.start("200 OK", length)
            writer.commit()
            _ = writer.add(String(repeating: "x", count: 10 - rest))
        case .sending:
            try writer.start()
            writer.commit()
            _ = writer.add("x")
        case .complete:
            try writer.start()
            writer.commit(total: 1)
            _ = writer.add("x")
            _ = writer.complete()
        case .short(let missing):
            try writer.start("200 OK", length)
            writer.commit()
            _ = writer.add(String(repeating: "x", count: 10 - missing))
            _ = writer.complete()
        case .refused: _ = writer.refuse(page)
        case .cut: writer.cut()
        case .lost(let stage):
            if stage != .waiting { try writer.start() }
            if stage == .committed { writer.commit(total: 3) }
            writer.lose()
        }
        return writer
    }

    @Test(arguments: states)
    func thereIsAWayToEveryState(_ state: State) throws {
        #expect(try Self.writer(in: state).state == state)
    }

    // MARK: Every transition

    enum Step: String, CaseIterable, Sendable {
        case begin, start, commit, block, complete, refuse, cut, cutShort, lose, end
    }

    /// Where a step leads to; nil where it must not be taken, which its caller can know.
    static func next(_ state: State, _ step: Step) -> State? {
        switch (step, state) {
        case (.begin, _): .waiting
        case (.end, _): .idle

        case (.start, .waiting), (.start, .started): .started
        case (.start, .lost(.waiting)), (.start, .lost(.started)): .lost(.started)
        case (.start, _): nil

        case (.commit, .started): .committed(.chunked)
        case (.commit, .lost(.started)): .lost(.committed)
        case (.commit, _): nil

        // Three bytes.
        case (.block, .committed(.length(10))): .sending(.length(7))
        case (.block, .sending(.length(5))): .sending(.length(2))
        case (.block, .committed(let end)): .sending(end)
        case (.block, _): state

        case (.complete, .committed(.length(10))): .short(missing: 10)
        case (.complete, .sending(.length(5))): .short(missing: 5)
        case (.complete, .committed), (.complete, .sending): .complete
        case (.complete, _): state

        case (.refuse, .waiting), (.refuse, .started): .refused
        case (.refuse, .idle), (.refuse, .short), (.refuse, .refused), (.refuse, .lost): state
        case (.refuse, _): .cut

        case (.cut, .idle), (.cut, .short), (.cut, .refused), (.cut, .lost): state
        case (.cut, _): .cut

        // A file of which four bytes are missing.
        case (.cutShort, .committed(.length(10))): .short(missing: 14)
        case (.cutShort, .sending(.length(5))): .short(missing: 9)
        case (.cutShort, .sending(.length(0))): .short(missing: 4)
        case (.cutShort, _): next(state, .lose)

        case (.lose, .idle), (.lose, .short), (.lose, .lost): state
        case (.lose, .waiting): .lost(.waiting)
        case (.lose, .started): .lost(.started)
        case (.lose, _): .lost(.committed)
        }
    }

    static func take(_ step: Step, _ writer: inout ResponseWriter) throws {
        switch step {
        case .begin: writer.begin(RequestTraits(isHead: false, version: .http11, mayPersist: true))
        case .start: try writer.start()
        case .commit: writer.commit()
        case .block: _ = writer.add("xxx")
        case .complete: _ = writer.complete()
        case .refuse: _ = writer.refuse(page)
        case .cut: writer.cut()
        case .cutShort: writer.cutShort(waiting: 4)
        case .lose: writer.lose()
        case .end: writer.end()
        }
    }

    @Test(arguments: states, Step.allCases)
    func everyTransition(_ state: State, _ step: Step) throws {
        guard let expected = Self.next(state, step) else { return }
        var writer = try Self.writer(in: state)
        try Self.take(step, &writer)
        #expect(writer.state == expected, "\(state) \(step)")
    }

    /// The steps that the table forbids are those that the writer's own answers forbid.
    @Test(arguments: states)
    func whatIsForbiddenCanBeKnown(_ state: State) throws {
        let writer = try Self.writer(in: state)
        let mayStart = writer.startRule(afterFailure: true) == .allowed
        #expect((Self.next(state, .start) != nil) == mayStart)
        #expect((Self.next(state, .commit) != nil) == (writer.isStarted && !writer.isCommitted))
    }

    // MARK: start_response

    @Test func whenStatusAndFieldsMayBeGiven() throws {
        for state in Self.states {
            let writer = try Self.writer(in: state)
            let (fresh, failed): (ResponseWriter.StartRule, ResponseWriter.StartRule) =
                switch state {
                case .idle: (.ended, .ended)
                case .waiting, .lost(.waiting): (.allowed, .allowed)
                case .started, .lost(.started): (.alreadyStarted, .allowed)
                default: (.alreadyStarted, .tooLate)
                }
            #expect(writer.startRule(afterFailure: false) == fresh, "\(state)")
            #expect(writer.startRule(afterFailure: true) == failed, "\(state)")
        }
    }

    @Test func aSecondStartReplacesTheFirst() throws {
        var writer = ResponseWriter.begun()
        try writer.start("200 OK", [("A", "b"), ("Content-Length", "5"), ("Connection", "close")])
        try writer.start("500 Oops", [("C", "d")])
        writer.commit(total: 2)
        #expect(writer.add("no").text == head("500 Oops") + "keep-alive\r\nContent-Length: 2\r\nC: d\r\n\r\nno")
        #expect(writer.status == 500)
    }

    @Test func aStartThatFailsLeavesNothing() throws {
        var writer = ResponseWriter.begun()
        try writer.start("200 OK", [("A", "b")])
        #expect(throws: ResponseFault.invalidFieldValue) { try writer.start("201 Created", [("A", "b"), ("C", "\n")]) }
        #expect(writer.state == .waiting && writer.status == 0)
        #expect(throws: ResponseFault.invalidStatus) { try writer.start("oops") }
        #expect(writer.startRule(afterFailure: false) == .allowed)
        try writer.start("202 Accepted")
        writer.commit(total: 0)
        #expect(writer.finish().text == head("202 Accepted") + "keep-alive\r\nContent-Length: 0\r\n\r\n")
    }

    @Test(arguments: ["100 Continue", "102 Processing", "103 Early Hints", "199 Odd"])
    func anInterimStatusIsNoResponse(_ status: String) throws {
        var writer = ResponseWriter.begun()
        #expect(throws: ResponseFault.interimStatus) { try writer.start(status) }
        #expect(writer.state == .waiting)
    }

    @Test func switchingProtocolsIsForHTTP11Alone() throws {
        var writer = ResponseWriter.begun(version: .http10)
        #expect(throws: ResponseFault.interimStatus) { try writer.start("101 Switching Protocols") }
        writer = .begun()
        try writer.start("101 Switching Protocols")
        #expect(writer.isStarted == true)
    }

    // MARK: Persistence

    @Test func whoMayEndTheConnection() throws {
        func outcome(
            client: Bool = true, server: Bool = true, _ fields: [(String, String)] = []
        ) throws -> (text: String, leavesOpen: Bool) {
            var writer = ResponseWriter.begun(mayPersist: client)
            try writer.start("200 OK", fields)
            writer.commit(total: 1, mayPersist: server)
            return (writer.add("x").text + writer.finish().text, writer.leavesConnectionOpen)
        }
        let open = try outcome()
        #expect(open.text.contains("Connection: keep-alive\r\n") && open.leavesOpen)
        for closed in [
            try outcome(client: false), try outcome(server: false), try outcome([("Connection", "close")]),
            try outcome(client: false, server: false),
        ] {
            #expect(closed.text.contains("Connection: close\r\n") && !closed.leavesOpen)
        }
    }

    @Test func onlyACompleteResponseLeavesTheConnectionOpen() throws {
        for state in Self.states {
            #expect(try Self.writer(in: state).leavesConnectionOpen == (state == .complete), "\(state)")
        }
    }

    // MARK: What it says of itself

    @Test func lookingAtIt() throws {
        for state in Self.states {
            let writer = try Self.writer(in: state)
            let (isStarted, isCommitted): (Bool, Bool) =
                switch state {
                case .idle, .waiting, .lost(.waiting): (false, false)
                case .started, .lost(.started): (true, false)
                default: (true, true)
                }
            let wantsMore =
                switch state {
                case .waiting, .started, .committed(.length), .committed(.chunked), .sending(.length(5)),
                    .sending(.chunked):
                    true
                default: false
                }
            #expect(writer.isStarted == isStarted, "\(state)")
            #expect(writer.isCommitted == isCommitted, "\(state)")
            #expect(writer.wantsMore == wantsMore, "\(state)")
            #expect(writer.mayHint == (state == .waiting || state == .started), "\(state)")
            if case .lost = state { #expect(writer.isLost == true) } else { #expect(writer.isLost == false) }
        }
    }

    @Test func earlyHints() throws {
        var hints = EarlyHintsWriter()
        hints.finish()
        var writer = ResponseWriter.begun()
        for _ in 0..<2 {
            #expect(hints.bytes.withUnsafeBytes { Sent(writer.hint($0)).text } == "HTTP/1.1 103 Early Hints\r\n\r\n")
        }
        #expect(writer.handedCount == 2 * hints.bytes.count && writer.bodyCount == 0)
        try writer.start()
        #expect(writer.mayHint == true)
        writer.commit(total: 1)
        #expect(hints.bytes.withUnsafeBytes { Sent(writer.hint($0)) } == .nothing)
        #expect(ResponseWriter.begun(version: .http10).mayHint == false)
    }

    // MARK: Ends that were not meant

    @Test func anErrorPageTakesTheResponsesPlace() throws {
        for isStarted in [false, true] {
            var writer = ResponseWriter.begun()
            if isStarted { try writer.start("200 OK", [("A", "b"), ("Content-Length", "7")]) }
            let text = writer.refuse(Self.page).text
            #expect(text == latin1(Self.page.response(date: date)))
            #expect(text.hasPrefix(head("500 Internal Server Error") + "close\r\n"))
            #expect(writer.status == 500 && writer.refusal == Self.page && !writer.leavesConnectionOpen)
            #expect(writer.handedCount == text.utf8.count)
            #expect(text.contains("Content-Length: \(writer.bodyCount)\r\n"))
            // A page is the end.
            #expect(writer.add("x") == .nothing && writer.finish() == .nothing)
            #expect(writer.refuse(Self.page) == .nothing)
        }
    }

    @Test func anErrorPageForHEADHasNoBody() {
        var writer = ResponseWriter.begun(isHead: true)
        let text = writer.refuse(.outsideMountPoint(for: ErrorAudience(isHead: true, prefersJSON: true))).text
        #expect(text.hasSuffix("Content-Type: application/json\r\n\r\n"))
        #expect(writer.bodyCount == 0)
    }

    @Test func itIsTooLateForAnErrorPage() throws {
        for state: State in [.committed(.chunked), .sending(.length(5)), .complete] {
            var writer = try Self.writer(in: state)
            let status = writer.status
            #expect(writer.refuse(Self.page) == .nothing)
            #expect(writer.state == .cut && writer.refusal == nil && writer.status == status)
        }
    }

    @Test func theNextRequestBeginsAnew() throws {
        for state in Self.states {
            var writer = try Self.writer(in: state)
            writer.lose(unsent: 3)
            writer.end()
            writer.begin(RequestTraits(isHead: false, version: .http11, mayPersist: true))
            #expect(writer.status == 0 && writer.refusal == nil && writer.promisedCount == 0)
            #expect(writer.handedCount == 0 && writer.lostCount == 0 && writer.bodyCount == 0)
            try writer.start()
            writer.commit(total: 2)
            #expect(writer.add("ok").text == head("200 OK") + "keep-alive\r\nContent-Length: 2\r\n\r\nok")
            #expect(writer.finish() == .nothing && writer.leavesConnectionOpen)
        }
    }

    @Test func theClientLeft() throws {
        var writer = try Self.writer(in: .sending(.length(5)))
        let handed = writer.handedCount
        writer.lose(unsent: 4)
        writer.lose(unsent: 2)
        #expect(writer.handedCount == handed && writer.lostCount == 6)
        #expect(writer.add("xxx") == .nothing && writer.finish() == .nothing)
        // It is not the application that came short.
        #expect(writer.state == .lost(.committed))
    }

    /// The application does not know, and is told of its own mistakes as before.
    @Test func whenTheClientLeftTheRulesGoOn() throws {
        var writer = try Self.writer(in: .lost(.waiting))
        try writer.start()
        #expect(writer.state == .lost(.started))
        #expect(throws: ResponseFault.invalidStatus) { try writer.start("?") }
        #expect(writer.state == .lost(.waiting))
        try writer.start()
        writer.commit(total: 5)
        #expect(writer.add("hello") == .nothing && writer.finish() == .nothing)
        #expect(writer.refuse(Self.page) == .nothing)
        #expect(writer.state == .lost(.committed) && writer.handedCount == 0)
    }

    @Test func aFileThatIsShorterThanItWas() throws {
        var writer = ResponseWriter.begun()
        try writer.start("200 OK", Self.length)
        writer.commit()
        _ = writer.add("")
        #expect(writer.addFile(8) == 8)
        writer.cutShort(waiting: 3)
        // Three of the file's, and two that nobody gave.
        #expect(writer.state == .short(missing: 5) && writer.promisedCount == 10 && writer.lostCount == 3)
        writer.lose(unsent: 1)
        #expect(writer.state == .short(missing: 5) && writer.finish() == .nothing)
    }
}
