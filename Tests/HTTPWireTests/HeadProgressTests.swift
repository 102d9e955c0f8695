import HTTPWire
import Testing

/// When a head that grows is worth another look.
@Suite struct HeadProgressTests {
    private struct Run {
        var looks = 0
        var verdict: Outcome?
        /// Bytes at the verdict.
        var count = 0
    }

    /// Feeds a head in pieces and parses when that may come to something.
    private func run(_ text: String, step: Int = 1, _ policy: RequestPolicy = RequestPolicy()) -> Run {
        var parser = RequestParser(policy: policy)
        var progress = HeadProgress()
        var run = Run()
        let all = bytes(text)
        for end in stride(from: step, to: all.count + step, by: step) {
            let part = Array(all.prefix(end))
            guard part.withUnsafeBytes({ parser.mayDecide($0.bytes, after: &progress) }) else { continue }
            run.looks += 1
            let outcome = parser.outcome(part)
            guard outcome == .more else {
                run.verdict = outcome
                run.count = part.count
                return run
            }
        }
        return run
    }

    private static let fields = (0..<20).map { "X-\($0): \(String(repeating: "v", count: 200))\r\n" }.joined()
    private static let whole = "GET /a HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n"

    @Test(arguments: [1, 2, 3, 7, 64, 1000, 100_000]) func aHeadIsCompleteWhereItIs(step: Int) {
        let run = run(Self.whole, step: step)
        #expect(run.verdict?.head != nil)
        #expect(run.count == min(Self.whole.utf8.count, (Self.whole.utf8.count + step - 1) / step * step))
    }

    @Test func itIsLookedAtWhereALineEndsAndInItsFirstBytes() {
        let run = run(Self.whole)
        #expect(run.looks <= 64 + 22)
        #expect(run.looks >= 21)
    }

    @Test func aLineIsLookedAtAgainWhenItPassesItsLimit() {
        var policy = RequestPolicy()
        policy.limitRequestLine = 300
        let long = run("GET /" + String(repeating: "a", count: 5000), policy)
        #expect(long.verdict != nil)
        #expect(long.count <= 303)
        policy.limitRequestFieldSize = 400
        let head = "GET /a HTTP/1.1\r\nHost: h\r\n"
        let field = run(head + "X: " + String(repeating: "a", count: 5000), policy)
        #expect(field.verdict != nil)
        #expect(field.count <= head.utf8.count + 401)
        #expect(field.looks < 70)
    }

    @Test func aHeadPastItsLimitIsRefused() {
        var policy = RequestPolicy()
        policy.limitRequestLine = 100
        policy.limitRequestFields = 10
        policy.limitRequestFieldSize = 200
        let lines = (0..<20).map { "X-\($0): \(String(repeating: "v", count: 180))\r\n" }.joined()
        let run = run("GET /a HTTP/1.1\r\nHost: h\r\n" + lines, policy)
        #expect(run.verdict != nil)
        #expect(run.count <= policy.headSizeLimit + 1)
    }

    @Test func whoDoesNotSpeakHTTPLearnsItAtOnce() {
        let run = run("\u{16}\u{3}\u{1}")
        #expect(run.verdict != nil)
        #expect(run.count == 1)
    }

    @Test func whatWasParsedIsNotLookedAtAgain() {
        let part = bytes("GET /a HTTP/1.1\r\nHost: h\r\nX-Y: " + String(repeating: "z", count: 100))
        let parser = RequestParser(policy: RequestPolicy())
        var progress = part.withUnsafeBytes { HeadProgress(of: $0.bytes) }
        #expect(!progress.hasUnseen(of: part.count))
        #expect(progress.hasUnseen(of: part.count + 1))
        #expect(HeadProgress().hasUnseen(of: 1))
        let more = part + bytes("zz")
        let line = more + bytes("\r\n")
        #expect(!more.withUnsafeBytes { parser.mayDecide($0.bytes, after: &progress) })
        #expect(line.withUnsafeBytes { parser.mayDecide($0.bytes, after: &progress) })
    }
}
