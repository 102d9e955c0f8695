import Platform
import Scheduling
import Testing

@Suite struct PromotionPolicyTests {
    private func kind(_ path: String, method: UInt8 = 1) -> UInt32 {
        var path = path
        return path.withUTF8 { PromotionPolicy.kind(method: method, path: UnsafeRawBufferPointer($0)) }
    }

    @Test func startsLate() {
        let policy = PromotionPolicy()
        for kind in UInt32(0)..<1000 { #expect(!policy.promotesEarly(kind)) }
    }

    @Test func oneLongRequestIsNoHabit() {
        var policy = PromotionPolicy()
        policy.note(7, outlastedTick: true)
        #expect(!policy.promotesEarly(7))
        policy.note(7, outlastedTick: false)
        policy.note(7, outlastedTick: true)
        #expect(!policy.promotesEarly(7))
    }

    @Test func twoInARowAre() {
        var policy = PromotionPolicy()
        policy.note(7, outlastedTick: true)
        policy.note(7, outlastedTick: true)
        #expect(policy.promotesEarly(7))
    }

    @Test func oneShortRequestDoesNotEndAHabit() {
        var policy = PromotionPolicy()
        for _ in 0..<10 { policy.note(7, outlastedTick: true) }
        policy.note(7, outlastedTick: false)
        #expect(policy.promotesEarly(7))
        policy.note(7, outlastedTick: false)
        #expect(!policy.promotesEarly(7))
    }

    @Test func anyNumberOfEitherIsRemembered() {
        var policy = PromotionPolicy()
        for _ in 0..<1000 { policy.note(.max, outlastedTick: true) }
        #expect(policy.promotesEarly(.max))
        for _ in 0..<1000 { policy.note(.max, outlastedTick: false) }
        #expect(!policy.promotesEarly(.max))
    }

    @Test func itLearnsHowLongAKindTakes() {
        var policy = PromotionPolicy()
        #expect(policy.usualDuration(7) == 0)
        policy.learn(7, duration: .milliseconds(20))
        #expect(policy.usualDuration(7) == .milliseconds(20))
        policy.learn(7, duration: .milliseconds(40))
        #expect(policy.usualDuration(7) == .milliseconds(25))
        for _ in 0..<30 { policy.learn(7, duration: .milliseconds(40)) }
        #expect(abs(Double(policy.usualDuration(7)) / 40_000_000 - 1) < 0.001)
        #expect(policy.usualDuration(8) == 0)
        policy.learn(8, duration: .max)
        #expect(policy.usualDuration(8) == .seconds(3600))
    }

    @Test func kindsHaveHistoriesOfTheirOwn() {
        var policy = PromotionPolicy()
        policy.note(kind("/slow"), outlastedTick: true)
        policy.note(kind("/slow"), outlastedTick: true)
        #expect(policy.promotesEarly(kind("/slow")))
        #expect(!policy.promotesEarly(kind("/")))
        #expect(!policy.promotesEarly(kind("/fast")))
    }

    @Test func aKindIsMethodAndBeginningOfPath() {
        #expect(kind("/orders") == kind("/orders"))
        #expect(kind("/orders") != kind("/order"))
        #expect(kind("/orders") != kind("/orders", method: 2))
        // The first 16 bytes tell routes apart; what follows is mostly a record's name.
        #expect(kind("/orders/customer/1") == kind("/orders/customer/2"))
        #expect(kind("") == kind(""))
    }

    /// Every length up to past the two words, so that no byte is read that is not there.
    @Test func pathsOfAnyLengthHaveAKind() {
        let whole = "/abcdefghijklmnopqrstuvwxyz"
        var seen: Set<UInt32> = []
        for count in 0...16 { seen.insert(kind(String(whole.prefix(count)))) }
        #expect(seen.count == 17)
        for count in 16...27 { #expect(kind(String(whole.prefix(count))) == kind(String(whole.prefix(16)))) }
    }

    /// A hundred routes rarely share a counter.
    @Test func kindsSpreadOverTheCounters() {
        var slots: Set<UInt32> = []
        for number in 0..<100 { slots.insert(kind("/api/route\(number)") & 255) }
        #expect(slots.count > 70)
    }
}
