import Foundation
import HTTPWire
import Testing

/// gunicorn's own cases, which scripts/foreign_corpus.py fetches and writes in our notation. `make test` calls it.
private enum ForeignCorpus {
    static let directory: URL = {
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let named = ProcessInfo.processInfo.environment["MONOCEROS_FOREIGN"]
        return URL(fileURLWithPath: named ?? ".venv/.foreign", relativeTo: repository).appendingPathComponent("cases")
    }()

    static let isThere = FileManager.default.fileExists(atPath: directory.path)
    static let cases = isThere ? load("expect") : []
    /// What gunicorn makes of the cases that Tests/Corpus/gunicorn.toml names.
    static let theirs = isThere ? load("theirs") : []

    private static func load(_ expectations: String) -> [CorpusCase] {
        CorpusCase.load(directory, expectations: expectations).map { testCase in
            var testCase = testCase
            testCase.isForeign = true
            return testCase
        }
    }
}

@Suite(.enabled(if: ForeignCorpus.isThere, "gunicorn's cases are not here; scripts/foreign_corpus.py fetches them"))
struct ForeignCorpusTests {
    @Test func allOfThemAreThere() {
        #expect(ForeignCorpus.cases.filter { $0.name.hasPrefix("valid/") }.count == 62)
        #expect(ForeignCorpus.cases.filter { $0.name.hasPrefix("invalid/") }.count == 81)
    }

    @Test(arguments: ForeignCorpus.cases, CorpusCase.Split.allCases)
    func however(_ testCase: CorpusCase, _ split: CorpusCase.Split) {
        for cuts in testCase.cuts(split) {
            #expect(replay(testCase.input, of: testCase, cuts: cuts).mismatches(with: testCase) == [])
        }
    }

    /// A difference that is none any more has no place in the table.
    @Test(arguments: ForeignCorpus.theirs)
    func theNamedOnesDiffer(_ testCase: CorpusCase) {
        #expect(replay(testCase.input, of: testCase, cuts: []).mismatches(with: testCase) != [])
    }
}
