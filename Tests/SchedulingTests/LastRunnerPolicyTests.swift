import Platform
import Scheduling
import Testing

@Suite struct LastRunnerPolicyTests {
    private let start = Nanoseconds.seconds(1000)
    private let usual = Nanoseconds.milliseconds(50)

    @Test func longRequestsAloneHaveEveryRunner() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.tookOver(by: 1, at: start)
        #expect(!policy.postpones(at: start))
        #expect(policy.yields(at: start, since: start, usual: usual, othersWait: false))
    }

    @Test func shortRequestsKeepOneForThemselves() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.tookOver(by: 1, at: start)
        policy.servedShort(at: start)
        #expect(policy.postpones(at: start))
        #expect(!policy.yields(at: start, since: start, usual: usual, othersWait: false))
        #expect(policy.postpones(at: start + .milliseconds(99)))
    }

    @Test func aMomentWithoutShortRequestsIsEnough() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.tookOver(by: 1, at: start)
        policy.servedShort(at: start)
        #expect(!policy.yields(at: start + .microseconds(999), since: start, usual: usual, othersWait: false))
        #expect(policy.yields(at: start + .milliseconds(1), since: start, usual: usual, othersWait: false))
    }

    /// What the poll brings after that moment is served first.
    @Test func aMomentIsOverWhenOthersWait() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.tookOver(by: 1, at: start)
        policy.servedShort(at: start)
        let later = start + .milliseconds(2)
        #expect(!policy.yields(at: later, since: start, usual: usual, othersWait: true))
        #expect(policy.yields(at: start + .milliseconds(100), since: start, usual: usual, othersWait: true))
        #expect(policy.yields(at: start + .seconds(1), since: start, usual: .seconds(5), othersWait: true))
    }

    /// A runner that comes back from a long request waits that moment too: its client's next request may be a short
    /// one.
    @Test func aRunnerThatBecomesFreeWaitsForShortOnes() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.servedShort(at: start)
        policy.tookOver(by: 2, at: start + .milliseconds(50))
        #expect(policy.postpones(at: start + .milliseconds(50)))
        #expect(!policy.yields(at: start + .milliseconds(50), since: start, usual: usual, othersWait: false))
        #expect(policy.yields(at: start + .milliseconds(51), since: start, usual: usual, othersWait: false))
    }

    @Test func aClockThatIsReadEarlierIsNoClockThatHasRunOut() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.servedShort(at: start)
        policy.tookOver(by: 2, at: start + .microseconds(10))
        #expect(!policy.yields(at: start + .microseconds(5), since: start, usual: usual, othersWait: false))
        #expect(policy.postpones(at: start - .microseconds(5)))
    }

    @Test func shortRequestsAreForgotten() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.servedShort(at: start)
        policy.tookOver(by: 2, at: start + .milliseconds(100))
        #expect(!policy.postpones(at: start + .milliseconds(100)))
        #expect(policy.yields(at: start + .milliseconds(100), since: start, usual: usual, othersWait: false))
    }

    @Test func nobodyIsPostponedForLongerThanASecond() {
        var policy = LastRunnerPolicy(runners: 8)
        for millisecond in 0...1000 {
            // Others come free, but for those that came earlier.
            policy.tookOver(by: millisecond % 8, at: start + .milliseconds(millisecond))
            policy.servedShort(at: start + .milliseconds(millisecond))
            #expect(
                policy.yields(at: start + .milliseconds(millisecond), since: start, usual: usual, othersWait: false)
                    == (millisecond == 1000))
        }
        // Each has its own second.
        let later = start + .milliseconds(600)
        policy.tookOver(by: 2, at: start + .milliseconds(1590))
        policy.servedShort(at: start + .milliseconds(1599))
        #expect(!policy.yields(at: start + .milliseconds(1599), since: later, usual: usual, othersWait: false))
        policy.servedShort(at: start + .milliseconds(1600))
        #expect(policy.yields(at: start + .milliseconds(1600), since: later, usual: usual, othersWait: false))
    }

    @Test func nobodyWaitsForRunnersThatDoNotComeFree() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.tookOver(by: 1, at: start)
        let now = start + .milliseconds(99)
        policy.servedShort(at: now)
        #expect(!policy.yields(at: now, since: now, usual: usual, othersWait: false))
        // It is the runners that are waited for, and not by each request anew.
        #expect(policy.yields(at: start + .milliseconds(100), since: now, usual: usual, othersWait: false))
        policy.tookOver(by: 2, at: start + .milliseconds(100))
        policy.servedShort(at: start + .milliseconds(100))
        #expect(!policy.yields(at: start + .milliseconds(100), since: now, usual: usual, othersWait: false))
    }

    @Test func theLastRunnersOwnReturnIsNoSignOfOthers() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.tookOver(by: 1, at: start)
        let now = start + .milliseconds(150)
        policy.tookOver(by: 1, at: now)
        policy.servedShort(at: now)
        #expect(policy.yields(at: now, since: now, usual: usual, othersWait: false))
        policy.tookOver(by: 2, at: now)
        #expect(!policy.yields(at: now, since: now, usual: usual, othersWait: false))
    }

    @Test func whatTakesHoursIsPostponedForASecond() {
        var policy = LastRunnerPolicy(runners: 8)
        policy.tookOver(by: 1, at: start)
        policy.servedShort(at: start + .milliseconds(999))
        #expect(!policy.yields(at: start + .milliseconds(999), since: start, usual: .max, othersWait: false))
        #expect(policy.yields(at: start + .milliseconds(1000), since: start, usual: .max, othersWait: false))
    }

    @Test(arguments: [1, 2, 3]) func fewRunnersKeepNone(runners: Int) {
        var policy = LastRunnerPolicy(runners: runners)
        policy.servedShort(at: start)
        #expect(!policy.postpones(at: start))
        #expect(policy.yields(at: start, since: start, usual: usual, othersWait: false))
    }
}
