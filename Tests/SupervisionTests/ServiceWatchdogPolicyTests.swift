import Testing

@testable import Supervision

@Suite struct ServiceWatchdogPolicyTests {
    private let start: UInt64 = 700 * second

    private func policy(timeout: UInt64 = 10 * second, silence: UInt64? = 30 * second) -> ServiceWatchdogPolicy {
        ServiceWatchdogPolicy(timeout: timeout, allowedSilence: silence, at: start)
    }

    @Test func theFirstMessageIsSentAtOnceAndThenTwicePerTimeout() {
        var policy = policy()
        var sent: [UInt64] = []
        for tick in 0...40 {
            let now = start + UInt64(tick) * 500 * millisecond
            if policy.verdict(heartbeats: [now], wanted: 1, at: now) == .send { sent.append(now - start) }
        }
        #expect(sent.map { $0 / second } == [0, 5, 10, 15, 20])
    }

    @Test func theDeadlineIsWhenTheNextMessageIsDue() {
        var policy = policy()
        #expect(policy.deadline == start)
        _ = policy.verdict(heartbeats: [start], wanted: 1, at: start)
        #expect(policy.deadline == start + 5 * second)
        #expect(policy.verdict(heartbeats: [], wanted: 1, at: policy.deadline - 1) == .notDue)
        #expect(policy.verdict(heartbeats: [], wanted: 1, at: policy.deadline) == .send)
    }

    @Test func nothingIsSentWhileAllWorkersAreSilent() {
        var policy = policy()
        let silentSince = [start, start + 2 * second]
        #expect(policy.verdict(heartbeats: silentSince, wanted: 2, at: start + 32 * second) == .send)
        #expect(policy.verdict(heartbeats: silentSince, wanted: 2, at: start + 33 * second) == .notDue)
        #expect(policy.verdict(heartbeats: silentSince, wanted: 2, at: start + 37 * second) == .withhold)
        #expect(policy.verdict(heartbeats: silentSince, wanted: 2, at: start + 42 * second) == .withhold)
        // One of them comes to life again.
        let alive = [start, start + 46 * second]
        #expect(policy.verdict(heartbeats: alive, wanted: 2, at: start + 47 * second) == .send)
    }

    @Test func oneWorkerThatHangsIsNoReason() {
        var policy = policy()
        for tick in 0..<30 {
            let now = start + UInt64(tick) * 5 * second
            #expect(policy.verdict(heartbeats: [start, now], wanted: 2, at: now) == .send)
        }
    }

    @Test func workersThatAreGoneMakeNoProgress() {
        var policy = policy()
        #expect(policy.verdict(heartbeats: [start], wanted: 1, at: start) == .send)
        #expect(policy.verdict(heartbeats: [], wanted: 1, at: start + 31 * second) == .withhold)
    }

    @Test func whoWantsNoWorkersMissesNone() {
        var policy = policy()
        #expect(policy.verdict(heartbeats: [], wanted: 0, at: start + 100 * second) == .send)
        // And the next worker has its time from there.
        #expect(policy.verdict(heartbeats: [], wanted: 1, at: start + 120 * second) == .send)
        #expect(policy.verdict(heartbeats: [], wanted: 1, at: start + 131 * second) == .withhold)
    }

    @Test func theStartHasItsTimeToo() {
        var policy = policy()
        #expect(policy.verdict(heartbeats: [], wanted: 4, at: start + 30 * second) == .send)
        #expect(policy.verdict(heartbeats: [], wanted: 4, at: start + 35 * second) == .withhold)
    }

    @Test func withoutABoundTheLoopAloneIsWatched() {
        var policy = policy(silence: nil)
        #expect(policy.verdict(heartbeats: [start], wanted: 1, at: start + 9000 * second) == .send)
    }

    @Test func aHeartbeatFromTheFutureCountsAsOneFromNow() {
        var policy = policy()
        #expect(policy.verdict(heartbeats: [.max], wanted: 1, at: start + 10 * second) == .send)
        #expect(policy.verdict(heartbeats: [], wanted: 1, at: start + 41 * second) == .withhold)
    }

    @Test func hugeTimesDoNotOverflow() {
        var policy = ServiceWatchdogPolicy(timeout: .max, allowedSilence: .max, at: .max - 1)
        #expect(policy.verdict(heartbeats: [0], wanted: 1, at: .max) == .send)
        #expect(policy.deadline == .max)
        #expect(ServiceWatchdogPolicy(timeout: 1, allowedSilence: nil, at: 0).interval == 1)
    }
}
