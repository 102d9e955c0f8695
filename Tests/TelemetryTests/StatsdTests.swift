import Testing

@testable import Telemetry

@Suite struct StatsdTests {
    private func line(_ format: StatsdFormat, _ name: String, _ value: String, _ kind: StatsdFormat.Kind) -> String {
        var out = TextBuffer()
        format.write(name, value, kind, to: &out)
        return String(decoding: out.bytes, as: UTF8.self)
    }

    /// What gunicorn 27.0.1 makes of each.
    @Test(arguments: [
        ("", "g"), ("a", "ag"), ("ab", "ab.g"), ("ab.", "ab.g"), ("ab...", "ab.g"), ("a.", "a.g"), (".", ".g"),
        ("..", "..g"), ("..a", "..a.g"), ("a.b", "a.b.g"), (".a", ".a.g"), ("svc.x.", "svc.x.g"),
    ]) func aPrefixGetsItsDot(_ prefix: String, _ expected: String) {
        let format = StatsdFormat(prefix: prefix, tags: "t:1,u")
        #expect(line(format, "g", "3", .gauge) == expected + ":3|g|#t:1,u")
    }

    @Test func everyKindIsGunicorns() {
        let format = StatsdFormat(prefix: "pre", tags: "a:b")
        #expect(line(format, "i", "2", .counter) == "pre.i:2|c|@1.0|#a:b")
        #expect(line(format, "t", "1.5", .timer) == "pre.t:1.5|ms|#a:b")
        #expect(line(format, "h", "7", .histogram) == "pre.h:7|h|#a:b")
        #expect(line(StatsdFormat(), "g", "2.25", .gauge) == "g:2.25|g")
    }

    @Test func aLineEndMakesNoSecondMetric() {
        #expect(line(StatsdFormat(prefix: "a\nb", tags: "t\n"), "x\ny", "1\n2", .gauge) == "a_b.x_y:1_2|g|#t_")
    }

    private func flush(_ aggregate: inout StatsdAggregate, _ format: StatsdFormat, limit: Int) -> [String] {
        var buffer = TextBuffer()
        var datagrams: [String] = []
        aggregate.flush(format, limit: limit, buffer: &buffer) { datagrams.append(String(decoding: $0, as: UTF8.self)) }
        #expect(buffer.count == 0)
        return datagrams
    }

    @Test func requestsAreGathered() {
        var aggregate = StatsdAggregate()
        #expect(aggregate.isEmpty)
        #expect(flush(&aggregate, StatsdFormat(), limit: 1432).isEmpty)
        aggregate.record(status: 404, duration: 12_345_000)
        aggregate.record(status: 200, duration: 1_000_999)
        aggregate.record(status: 200, duration: 0)
        aggregate.record(status: 0, duration: 500_000)
        aggregate.record(status: 999, duration: 3_045_678_000)
        aggregate.count(.error)
        aggregate.count(.exception, 2)
        #expect(!aggregate.isEmpty)
        let lines = [
            "p1.gunicorn.request.duration:12.345|ms|#a:b", "p1.gunicorn.request.duration:1.0|ms|#a:b",
            "p1.gunicorn.request.duration:0.0|ms|#a:b", "p1.gunicorn.request.duration:0.5|ms|#a:b",
            "p1.gunicorn.request.duration:3045.678|ms|#a:b", "p1.gunicorn.requests:5|c|@1.0|#a:b",
            "p1.gunicorn.request.status.200:2|c|@1.0|#a:b", "p1.gunicorn.request.status.404:1|c|@1.0|#a:b",
            "p1.gunicorn.log.error:1|c|@1.0|#a:b", "p1.gunicorn.log.exception:2|c|@1.0|#a:b",
        ]
        var copy = aggregate
        #expect(flush(&copy, StatsdFormat(prefix: "p1", tags: "a:b"), limit: 0) == lines)
        #expect(
            flush(&aggregate, StatsdFormat(prefix: "p1", tags: "a:b"), limit: 1432) == [lines.joined(separator: "\n")])
        #expect(aggregate.isEmpty)
        #expect(flush(&aggregate, StatsdFormat(), limit: 0).isEmpty)
    }

    @Test func datagramsKeepTheirSize() {
        var aggregate = StatsdAggregate()
        for index in 0..<200 { aggregate.record(status: 200 + index % 3, duration: UInt64(index) * 1_000_000) }
        var alone = aggregate
        let lines = flush(&alone, StatsdFormat(prefix: "service"), limit: 0)
        let datagrams = flush(&aggregate, StatsdFormat(prefix: "service"), limit: 512)
        #expect(datagrams.allSatisfy { $0.utf8.count <= 512 })
        #expect(datagrams.count < lines.count / 8)
        #expect(datagrams.joined(separator: "\n") == lines.joined(separator: "\n"))
    }

    @Test func manyDurationsAreSampledFairly() throws {
        var aggregate = StatsdAggregate(seed: 7)
        let count = 100_000
        for index in 0..<count { aggregate.record(status: 200, duration: UInt64(index) * 1_000_000) }
        let lines = flush(&aggregate, StatsdFormat(), limit: 0)
        let timers = lines.filter { $0.hasPrefix("gunicorn.request.duration:") }
        #expect(timers.count == StatsdAggregate.sampleLimit)
        #expect(timers.allSatisfy { $0.hasSuffix("|ms|@0.002560") })
        #expect(lines.contains("gunicorn.requests:100000|c|@1.0"))
        let values = try timers.map {
            try #require(Double($0.dropFirst("gunicorn.request.duration:".count).prefix { $0 != "|" }))
        }
        // 256 of 0 to 99,999: their mean is within four standard deviations (28,868 / 16) of the middle.
        #expect(abs(values.reduce(0, +) / Double(values.count) - 50_000) < 7217)
    }
}
