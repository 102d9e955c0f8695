import HTTPWire
import ProxyWire

extension CorpusCase {
    /// How the bytes of a case come in.
    enum Split: CaseIterable {
        case whole, byteByByte, lineByLine, random
    }

    /// Where to cut, in one or several ways.
    func cuts(_ split: Split) -> [[Int]] {
        switch split {
        case .whole: return [[]]
        case .byteByByte:
            // Long inputs in fewer steps: each step parses from the beginning.
            return [Array(stride(from: 1, to: input.count, by: max(1, input.count / 400)))]
        case .lineByLine:
            return [input.indices.filter { input[$0] == 0x0A }.map { $0 + 1 }]
        case .random:
            var generator = SeededGenerator(seed: 7)
            return (0..<20).map { _ in
                let count = Int.random(in: 1...8, using: &generator)
                return (0..<count).map { _ in Int.random(in: 0...input.count, using: &generator) }.sorted()
            }
        }
    }
}

extension Exchange {
    /// Where this is not what the case expects, in words; empty if it is.
    func mismatches(with testCase: CorpusCase) -> [String] {
        var requests = requests
        // How far a request gets before it ends badly is only said of our own cases.
        if testCase.isForeign { requests.removeAll { !$0.isComplete } }
        guard requests.count == testCase.requests.count else {
            return ["\(requests.count) requests, fault: \(fault?.rawValue ?? "none")"]
        }
        var mismatches: [String] = []
        for (request, expectation) in zip(requests, testCase.requests) {
            for (word, argument) in expectation.lines where word != "field" {
                var found = request.describe(word)
                // gunicorn's parser does what is left to the environ here.
                if testCase.isForeign && word == "method" && request.head.methodNeedsUppercasing {
                    found = found.uppercased()
                }
                if found != argument { mismatches.append("\(word) is \(found), not \(argument)") }
            }
            let fields = expectation.lines.filter { $0.word == "field" }.map(\.argument)
            let found = request.head.fields.map { field in
                "\(testCase.isForeign ? field.name.uppercased() : field.name): \(field.value)"
            }
            if !fields.isEmpty && found != fields { mismatches.append("the fields are \(found), not \(fields)") }
            if request.isComplete != (expectation.ending == nil) {
                mismatches.append("a request is \(request.isComplete ? "" : "not ")complete")
            }
        }
        let ending = mismatch(with: testCase.ending ?? testCase.requests.last?.ending)
        return mismatches + (ending.map { [$0] } ?? [])
    }

    private func mismatch(with ending: CorpusCase.Ending?) -> String? {
        let status = fault?.status ?? proxyFault?.status
        let found = fault?.rawValue ?? proxyFault?.rawValue ?? "none"
        return switch ending {
        case .fault(let expected): fault == expected ? nil : "the fault is \(found), not \(expected.rawValue)"
        case .refused(let expected): status == expected ? nil : "the fault is \(found), not a \(expected)"
        case .more, nil: status == nil ? nil : "the fault is \(found)"
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
