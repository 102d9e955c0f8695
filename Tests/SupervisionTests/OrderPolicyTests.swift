import Testing

@testable import Supervision

@Suite struct OrderPolicyTests {
    private static let second: UInt64 = 1_000_000_000
    private static let start = 100 * second

    private var policy = OrderPolicy()

    private mutating func judge(
        _ order: OrderPolicy.Order, wanted: Int = 2, most: Int = 8, at now: UInt64 = start
    ) -> OrderPolicy.Verdict {
        policy.judge(order, wanted: wanted, most: most, at: now)
    }

    @Test mutating func workersAreAddedUpToANumber() {
        let below = judge(.add, wanted: 7)
        let at = judge(.add, wanted: 8)
        // A configuration may want more than orders can reach.
        let beyond = judge(.add, wanted: 20)
        let less = judge(.remove, wanted: 20)
        #expect([below, at, beyond, less] == [.granted, .refusedForNumber(8), .refusedForNumber(8), .granted])
    }

    @Test mutating func comingAndGoingIsBounded() {
        for number in 0..<OrderPolicy.changes {
            let verdict = judge(number % 2 == 0 ? .add : .remove)
            #expect(verdict == .granted)
        }
        let soon = [judge(.add), judge(.remove)]
        let later = [judge(.remove, at: Self.start + Self.second), judge(.add, at: Self.start + Self.second)]
        #expect(soon == [.refusedForRate, .refusedForRate] && later == [.granted, .refusedForRate])
        // One has nothing to do with the other.
        let renewal = judge(.renew)
        #expect(renewal == .granted)
    }

    @Test mutating func reloadsAreFewAtATime() {
        // Ten a second, for a minute and two thirds.
        let verdicts = (0..<1000).map { judge(.renew, at: Self.start + UInt64($0) * Self.second / 10) }
        #expect(verdicts.count { $0 == .granted } == OrderPolicy.renewals + 9)
        // And after a rest as many as at first.
        let later = (0...OrderPolicy.renewals).map { _ in judge(.renew, at: Self.start + 1000 * Self.second) }
        #expect(later.count { $0 == .granted } == OrderPolicy.renewals && later.last == .refusedForRate)
    }

    @Test mutating func theEndIsAlwaysGranted() {
        let verdicts = (0..<1000).map { _ in judge(.stop) }
        #expect(verdicts.allSatisfy { $0 == .granted })
    }

    @Test func anAllowanceComesBackAtItsPace() {
        var allowance = Allowance(most: 2, interval: 10)
        // A clock that went back gives nothing; one that is far ahead gives no more than the most.
        let moments: [UInt64] = [5, 5, 14, 15, 24, 25, 0, .max, .max, .max]
        let granted = moments.map { allowance.spend(at: $0) }
        #expect(granted == [true, true, false, true, false, true, false, true, true, false])
    }
}
