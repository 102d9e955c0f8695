import Platform
import Scheduling
import Testing

@Suite struct LastRunnerPolicyTests {
    private let start = Nanoseconds.seconds(1000)

    @Test func longRequestsAloneHaveEveryRunner() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.tookOver(at: start)
        #expect(!policy.postpones(at: start))
        #expect(policy.yields(at: start, since: start))
    }

    @Test func shortRequestsKeepOneForThemselves() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.servedShort(at: start)
        #expect(policy.postpones(at: start))
        #expect(!policy.yields(at: start, since: start))
        #expect(policy.postpones(at: start + .milliseconds(99)))
    }

    @Test func aMomentWithoutShortRequestsIsEnough() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.servedShort(at: start)
        #expect(!policy.yields(at: start + .microseconds(999), since: start))
        #expect(policy.yields(at: start + .milliseconds(1), since: start))
    }

    /// A runner that comes back from a long request waits that moment too: its client's next request may be a short
    /// one.
    @Test func aRunnerThatBecomesFreeWaitsForShortOnes() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.servedShort(at: start)
        policy.tookOver(at: start + .milliseconds(50))
        #expect(policy.postpones(at: start + .milliseconds(50)))
        #expect(!policy.yields(at: start + .milliseconds(50), since: start))
        #expect(policy.yields(at: start + .milliseconds(51), since: start))
    }

    @Test func aClockThatIsReadEarlierIsNoClockThatHasRunOut() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.servedShort(at: start)
        policy.tookOver(at: start + .microseconds(10))
        #expect(!policy.yields(at: start + .microseconds(5), since: start))
        #expect(policy.postpones(at: start - .microseconds(5)))
    }

    @Test func shortRequestsAreForgotten() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.servedShort(at: start)
        policy.tookOver(at: start + .milliseconds(100))
        #expect(!policy.postpones(at: start + .milliseconds(100)))
        #expect(policy.yields(at: start + .milliseconds(100), since: start))
    }

    @Test func nobodyIsPostponedForLongerThanASecond() {
        var policy = LastRunnerPolicy(runners: 8)
        for millisecond in 0...1000 {
            policy.servedShort(at: start + .milliseconds(millisecond))
            #expect(policy.yields(at: start + .milliseconds(millisecond), since: start) == (millisecond == 1000))
        }
        // Each has its own second.
        let later = start + .milliseconds(600)
        policy.servedShort(at: start + .milliseconds(1599))
        #expect(!policy.yields(at: start + .milliseconds(1599), since: later))
        policy.servedShort(at: start + .milliseconds(1600))
        #expect(policy.yields(at: start + .milliseconds(1600), since: later))
    }

    @Test(arguments: [1, 2, 3]) func fewRunnersKeepNone(runners: Int) {
        var policy = LastRunnerPolicy(runners: runners)
        policy.servedShort(at: start)
        #expect(!policy.postpones(at: start))
        #expect(policy.yields(at: start, since: start))
    }
}
