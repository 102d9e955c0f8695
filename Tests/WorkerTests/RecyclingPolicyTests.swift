import Platform
import Testing

@Suite struct RecyclingPolicyTests {
    private static let start = Nanoseconds.seconds(1000)

    @Test func nothingIsAskedWithoutALimit() {
        var policy = RecyclingPolicy(lifetime: nil, memory: nil, at: Self.start)
        #expect(policy.verdict(at: .max, resident: { .max }, proportional: { .max }) == nil)
    }

    @Test func aLifetimeEndsWhenItIsOver() {
        var policy = RecyclingPolicy(lifetime: .seconds(60), memory: nil, at: Self.start)
        #expect(policy.verdict(at: Self.start + .seconds(60) - 1, resident: { nil }, proportional: { nil }) == nil)
        let verdict = policy.verdict(at: Self.start + .seconds(61), resident: { nil }, proportional: { nil })
        #expect(verdict == "it has lived for 61 s")
        // A clock that was read earlier by another thread.
        #expect(policy.verdict(at: Self.start - 1, resident: { nil }, proportional: { nil }) == nil)
    }

    @Test func memoryIsMeasuredExactlyOnlyWhenTheRoughMeasureIsOver() {
        var policy = RecyclingPolicy(lifetime: nil, memory: 1000, at: Self.start)
        var measures = 0
        let share = {
            measures += 1
            return 900 as Int?
        }
        #expect(policy.verdict(at: Self.start, resident: { 1000 }, proportional: share) == nil)
        #expect(measures == 0)
        for second in 0..<10 {
            let now = Self.start + .seconds(second)
            #expect(policy.verdict(at: now, resident: { 1001 }, proportional: share) == nil)
        }
        #expect(measures == 2)
    }

    @Test func theShareDecides() throws {
        var policy = RecyclingPolicy(lifetime: nil, memory: 3 << 20, at: Self.start)
        let verdict = policy.verdict(at: Self.start, resident: { 9 << 20 }, proportional: { 4 << 20 })
        #expect(try #require(verdict).hasPrefix("it has 4 MiB of memory"))
    }

    @Test func withoutAShareTheRoughMeasureDecides() {
        var policy = RecyclingPolicy(lifetime: nil, memory: 3 << 20, at: Self.start)
        #expect(policy.verdict(at: Self.start, resident: { 4 << 20 }, proportional: { nil }) != nil)
    }
}
