import Platform
import Testing

@testable import Transport

@Suite struct DeadlineWheelTests {
    @Test func givesBackWhatIsDueAndNothingElse() {
        var wheel = DeadlineWheel(now: .seconds(100))
        let soon = wheel.schedule(1, at: .seconds(101))
        _ = wheel.schedule(2, at: .seconds(105))
        #expect(wheel.next == soon * DeadlineWheel.slotWidth)
        #expect(wheel.expire(now: .seconds(101)).isEmpty)
        let due = wheel.expire(now: .seconds(102))
        #expect(due.map(\.entry) == [1])
        #expect(due.map(\.slot) == [soon])
        #expect(wheel.expire(now: .seconds(104)).isEmpty)
        #expect(wheel.expire(now: .seconds(106)).map(\.entry) == [2])
        #expect(wheel.next == nil)
    }

    @Test func aDeadlineIsNeverMetEarly() {
        var wheel = DeadlineWheel(now: 0)
        for offset in 0..<300 {
            let deadline = Nanoseconds.milliseconds(offset * 7)
            let slot = wheel.schedule(UInt64(offset), at: deadline)
            #expect(slot * DeadlineWheel.slotWidth > deadline)
            #expect(slot * DeadlineWheel.slotWidth <= deadline + DeadlineWheel.slotWidth)
        }
    }

    @Test func aDeadlineBeyondTheSpanIsLookedAtEarlier() {
        var wheel = DeadlineWheel(now: 0)
        let slot = wheel.schedule(7, at: .seconds(100_000))
        #expect(slot * DeadlineWheel.slotWidth < .seconds(100_000))
        #expect(wheel.expire(now: slot * DeadlineWheel.slotWidth).map(\.entry) == [7])
    }

    @Test func aPastDeadlineIsDueAtOnce() {
        var wheel = DeadlineWheel(now: .seconds(50))
        _ = wheel.expire(now: .seconds(60))
        _ = wheel.schedule(3, at: .seconds(55))
        #expect(wheel.expire(now: .seconds(61)).map(\.entry) == [3])
    }
}
