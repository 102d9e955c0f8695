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
            .headTimeout, .bodyTimeout, .headTooLarge, .bodyNotStored, .spoolFull, .insufficientStorage,
        ]
        let shown = CorpusCase.all.flatMap { [$0.ending] + $0.requests.map(\.ending) }
        for fault in WireFault.allCases where !elsewhere.contains(fault) {
            #expect(shown.contains(.fault(fault)), "\(fault.rawValue)")
        }
    }

    @Test(arguments: CorpusCase.all, CorpusCase.Split.allCases)
    func however(_ testCase: CorpusCase, _ split: CorpusCase.Split) {
        for cuts in testCase.cuts(split) {
            #expect(replay(testCase.input, of: testCase, cuts: cuts).mismatches(with: testCase) == [])
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
            #expect(exchange.mismatches(with: testCase) == [])
        }
    }
}
