import Platform
import Testing

@testable import Scheduling

@Suite struct SharingPolicyTests {
    /// Where requests are short on average, one that is not holds up those behind it all the same.
    @Test func whatWaitsBehindALongRequestIsPostedWhateverTheAverageIs() {
        var policy = SharingPolicy(workers: 2, queuesInRelay: true)
        var situation = SharingPolicy.Situation(held: 3, readable: 0, free: 0, idleElsewhere: 0, isStalled: true)
        #expect(policy.postings(situation).held == 3)
        policy.served(in: .microseconds(30))
        #expect(policy.postings(situation).held == 3 && !policy.isQueueWorthwhile)
        situation.isStalled = false
        #expect(policy.postings(situation) == .none)
        // Without the queue only as many as there are idle runners for.
        let modest = SharingPolicy(workers: 2)
        situation = SharingPolicy.Situation(held: 3, readable: 0, free: 0, idleElsewhere: 1, isStalled: true)
        #expect(modest.postings(situation).held == 1)
    }

    @Test func longRequestsMakeOneQueue() {
        var policy = SharingPolicy(workers: 2, queuesInRelay: true)
        #expect(!policy.isQueueWorthwhile)
        policy.served(in: SharingPolicy.worthQueueing)
        #expect(policy.isQueueWorthwhile)
        var alone = SharingPolicy(workers: 1, queuesInRelay: true)
        alone.served(in: .seconds(1))
        #expect(!alone.isQueueWorthwhile)
    }

    private typealias Situation = SharingPolicy.Situation
    private typealias Postings = SharingPolicy.Postings

    private func policy(workers: Int = 2, average: Nanoseconds? = .milliseconds(10)) -> SharingPolicy {
        var policy = SharingPolicy(workers: workers)
        if let average { policy.served(in: average) }
        return policy
    }

    @Test func postsHeldRequestsWhileSomebodyIsIdle() {
        let policy = policy()
        #expect(
            policy.postings(Situation(held: 3, readable: 0, free: 0, idleElsewhere: 1))
                == Postings(held: 1, readable: 0))
        #expect(
            policy.postings(Situation(held: 3, readable: 0, free: 0, idleElsewhere: 9))
                == Postings(held: 3, readable: 0))
    }

    @Test func neverPostsWhenNobodyIsIdle() {
        #expect(policy().postings(Situation(held: 9, readable: 9, free: 0, idleElsewhere: 0)) == .none)
    }

    @Test func countsParcelsOnTheWayAsTakingAnIdleRunner() {
        let policy = policy()
        var situation = Situation(held: 3, readable: 3, free: 0, idleElsewhere: 2, onTheWay: 1)
        #expect(policy.postings(situation) == Postings(held: 1, readable: 0))
        situation.onTheWay = 2
        #expect(policy.postings(situation) == .none)
        situation.onTheWay = 5
        #expect(policy.postings(situation) == .none)
    }

    @Test func keepsWhatCanBeginHere() {
        let policy = policy()
        #expect(policy.postings(Situation(held: 1, readable: 0, free: 1, idleElsewhere: 4)) == .none)
        #expect(
            policy.postings(Situation(held: 3, readable: 0, free: 1, idleElsewhere: 4))
                == Postings(held: 2, readable: 0))
        #expect(policy.postings(Situation(held: 0, readable: 1, free: 1, idleElsewhere: 4)) == .none)
        #expect(
            policy.postings(Situation(held: 1, readable: 2, free: 2, idleElsewhere: 4))
                == Postings(held: 0, readable: 1))
    }

    @Test func completeRequestsGoBeforeReadableConnections() {
        let policy = policy()
        #expect(
            policy.postings(Situation(held: 1, readable: 5, free: 0, idleElsewhere: 3))
                == Postings(held: 1, readable: 2))
        #expect(
            policy.postings(Situation(held: 5, readable: 5, free: 0, idleElsewhere: 3))
                == Postings(held: 3, readable: 0))
    }

    @Test func shortRequestsStay() {
        let busy = Situation(held: 5, readable: 5, free: 0, idleElsewhere: 3)
        #expect(policy(average: nil).postings(busy) == .none)
        #expect(policy(average: SharingPolicy.worthSharing - 1).postings(busy) == .none)
        #expect(!policy(average: SharingPolicy.worthSharing - 1).mayShare)
        #expect(policy(average: SharingPolicy.worthSharing).postings(busy) != .none)
        #expect(policy(average: SharingPolicy.worthSharing).mayShare)
    }

    @Test func oneWorkerSharesWithNobody() {
        let policy = policy(workers: 1)
        #expect(!policy.mayShare)
        #expect(policy.postings(Situation(held: 5, readable: 5, free: 0, idleElsewhere: 3)) == .none)
    }

    @Test func longRequestsMayWaitInTheRelay() {
        var policy = SharingPolicy(workers: 2, queuesInRelay: true)
        policy.served(in: SharingPolicy.worthQueueing)
        #expect(
            policy.postings(Situation(held: 5, readable: 5, free: 1, idleElsewhere: 0))
                == Postings(held: 4, readable: 0))
        #expect(policy.postings(Situation(held: 1, readable: 5, free: 1, idleElsewhere: 0)) == .none)
        var short = SharingPolicy(workers: 2, queuesInRelay: true)
        short.served(in: SharingPolicy.worthQueueing - 1)
        #expect(short.postings(Situation(held: 5, readable: 5, free: 1, idleElsewhere: 0)) == .none)
        #expect(
            short.postings(Situation(held: 5, readable: 5, free: 1, idleElsewhere: 6)) == Postings(held: 4, readable: 2)
        )
    }

    /// No situation makes it post more than there is, than others can take, or what a free runner here would begin.
    @Test func postsNeverTooMuch() {
        let policy = policy()
        for held in 0..<5 {
            for readable in 0..<5 {
                for free in 0..<4 {
                    for idle in 0..<6 {
                        for onTheWay in 0..<3 {
                            let postings = policy.postings(
                                Situation(
                                    held: held, readable: readable, free: free, idleElsewhere: idle, onTheWay: onTheWay)
                            )
                            let count = postings.held + postings.readable
                            #expect(postings.held >= 0 && postings.readable >= 0)
                            #expect(postings.held <= held && postings.readable <= readable)
                            #expect(count <= max(0, idle - onTheWay))
                            #expect(count <= max(0, held + readable - free))
                            // And never less: an idle runner elsewhere is not left idle while somebody waits.
                            #expect(count == min(max(0, idle - onTheWay), max(0, held + readable - free)))
                        }
                    }
                }
            }
        }
    }

    @Test func theAverageFollowsAndSettles() {
        var policy = policy(average: .milliseconds(10))
        policy.served(in: .milliseconds(18))
        #expect(policy.average == .milliseconds(11))
        for _ in 0..<200 { policy.served(in: 100) }
        #expect(policy.average == 100)
        #expect(!policy.mayShare)
        for _ in 0..<200 { policy.served(in: .milliseconds(1)) }
        #expect(policy.average == .milliseconds(1))
        policy.served(in: .max)
        policy.served(in: 0)
        #expect(policy.mayShare)
    }

    @Test func aConnectionIsNotPassedAroundWithoutBeingServed() {
        #expect(SharingPolicy.mayPost(hops: 0, isSaturated: false))
        #expect(!SharingPolicy.mayPost(hops: 1, isSaturated: false))
        #expect(SharingPolicy.mayPost(hops: 1, isSaturated: true))
        #expect(!SharingPolicy.mayPost(hops: 2, isSaturated: true))
    }
}
