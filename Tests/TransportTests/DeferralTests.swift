import Platform
import Testing

@testable import Transport

@Suite struct DeferralTests {
    private typealias Responses = Deferral<Int>

    @Test func onlyWhereTheApplicationIsNeitherFastNorSlowAndMoreIsAtHand() {
        var responses = Responses()
        #expect(!responses.isWorthwhile(hasMore: true))
        for (duration, expected) in [
            (Responses.worthwhile, false), (Responses.worthwhile + 1, true), (Responses.longest - 1, true),
            (Responses.longest, false),
        ] {
            responses.noteDuration(duration)
            #expect(responses.isWorthwhile(hasMore: true) == expected)
            #expect(!responses.isWorthwhile(hasMore: false))
        }
    }

    @Test func aFewLeaveTogether() {
        var responses = Responses()
        let isFull = (0..<Responses.most).map { responses.add($0, now: 1000) }
        #expect(isFull == Array(repeating: false, count: Responses.most - 1) + [true])
        let answer1 = responses.takeAll()
        #expect(answer1 == Array(0..<Responses.most))
        #expect(responses.waiting.isEmpty)
    }

    @Test func theFirstOfThemWaitsForAMomentAtMost() {
        var responses = Responses()
        #expect(!responses.isOverdue(now: .seconds(10)))
        _ = responses.add(1, now: .seconds(10))
        _ = responses.add(2, now: .seconds(10) + Responses.longest - 1)
        #expect(!responses.isOverdue(now: .seconds(10) + Responses.longest - 1))
        #expect(responses.isOverdue(now: .seconds(10) + Responses.longest))
        _ = responses.takeAll()
        #expect(!responses.isOverdue(now: .seconds(20)))
        _ = responses.add(3, now: .seconds(20))
        #expect(!responses.isOverdue(now: .seconds(20)))
    }
}
