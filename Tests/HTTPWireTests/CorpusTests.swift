import HTTPWire
import Testing

/// Every case, however its bytes are cut.
@Suite struct CorpusTests {
    @Test func theCorpusIsThere() {
        #expect(CorpusCase.all.filter { $0.name.hasPrefix("valid/") }.count >= 55)
        #expect(CorpusCase.all.filter { $0.name.hasPrefix("invalid/") }.count >= 200)
        for testCase in CorpusCase.all where testCase.name.hasPrefix("invalid/") {
            let endings = testCase.requests.map(\.ending) + [testCase.ending]
            #expect(endings.contains { if case .fault? = $0 { true } else { false } }, "\(testCase.name)")
        }
    }

    /// Every fault that parsing alone can find has a case.
    @Test func everyFaultHasACase() {
        let elsewhere: Set<WireFault> = [
            .truncatedBody, .headTimeout, .bodyTimeout, .overloaded, .headTooLarge, .bodyNotStored,
            .insufficientStorage,
        ]
        let shown = CorpusCase.all.flatMap { [$0.ending] + $0.requests.map(\.ending) }
        for fault in WireFault.allCases where !elsewhere.contains(fault) {
            #expect(shown.contains(.fault(fault)), "\(fault.rawValue)")
        }
    }

    @Test(arguments: CorpusCase.all)
    func whole(_ testCase: CorpusCase) {
        check(replay(testCase.input, of: testCase, cuts: []), testCase)
    }

    @Test(arguments: CorpusCase.all)
    func byteByByte(_ testCase: CorpusCase) {
        // Long inputs in fewer steps: each step parses from the beginning.
        let step = max(1, testCase.input.count / 400)
        check(replay(testCase.input, of: testCase, cuts: stride(from: 1, to: testCase.input.count, by: step)), testCase)
    }

    @Test(arguments: CorpusCase.all)
    func lineByLine(_ testCase: CorpusCase) {
        let cuts = testCase.input.indices.filter { testCase.input[$0] == 0x0A }.map { $0 + 1 }
        check(replay(testCase.input, of: testCase, cuts: cuts), testCase)
    }

    @Test(arguments: CorpusCase.all)
    func cutAtRandom(_ testCase: CorpusCase) {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<20 {
            let count = Int.random(in: 1...8, using: &generator)
            let cuts = (0..<count).map { _ in Int.random(in: 0...testCase.input.count, using: &generator) }.sorted()
            check(replay(testCase.input, of: testCase, cuts: cuts), testCase)
        }
    }

    @Test(arguments: CorpusCase.all)
    func withBytesBehind(_ testCase: CorpusCase) {
        guard testCase.ending != .more, testCase.requests.last?.ending != .more else { return }
        for behind in ["\0", "GET / HTTP/1.1\r\n", "\r\n", "\n", "garbage"] {
            var exchange = replay(testCase.input + bytes(behind), of: testCase, cuts: [])
            let endsWell = testCase.ending == nil && testCase.requests.last?.ending == nil
            // What they are to the next request is not this case's concern.
            if endsWell { exchange.fault = nil }
            check(exchange, testCase)
        }
    }

    private func check(_ exchange: Exchange, _ testCase: CorpusCase) {
        guard exchange.requests.count == testCase.requests.count else {
            let fault = exchange.fault?.rawValue ?? "none"
            Issue.record("\(testCase.name): \(exchange.requests.count) requests, fault: \(fault)")
            return
        }
        for (request, expectation) in zip(exchange.requests, testCase.requests) {
            for (word, argument) in expectation.lines where word != "field" {
                let found = request.describe(word)
                #expect(found == argument, "\(testCase.name): \(word)")
            }
            let fields = expectation.lines.filter { $0.word == "field" }.map(\.argument)
            if !fields.isEmpty {
                let found = request.head.fields.map { "\($0.name): \($0.value)" }
                #expect(found == fields, "\(testCase.name)")
            }
            #expect(request.isComplete == (expectation.ending == nil), "\(testCase.name)")
        }
        switch testCase.ending ?? testCase.requests.last?.ending {
        case .fault(let fault): #expect(exchange.fault == fault, "\(testCase.name)")
        case .more, nil: #expect(exchange.fault == nil, "\(testCase.name)")
        }
    }
}

extension Exchange.Request {
    /// What was found, in the words of a `.expect` file.
    fileprivate func describe(_ word: String) -> String {
        switch word {
        case "method": head.method
        case "target": head.target
        case "path": head.path
        case "query": head.query
        case "authority": head.authority
        case "form": "\(head.targetForm)"
        case "version": head.version == .http11 ? "1.1" : "1.0"
        case "fields": head.fields.isEmpty ? "none" : "some"
        case "framing":
            switch head.framing {
            case .none: "none"
            case .length(let length): "length \(length)"
            case .chunked: "chunked"
            }
        case "persistent": head.isPersistent ? "yes" : "no"
        case "continue": head.expectsContinue ? "yes" : "no"
        case "uppercase": head.methodNeedsUppercasing ? "yes" : "no"
        case "scheme": "\(head.schemeOverride)"
        case "body": latin1(body)
        default: "no such word"
        }
    }
}
