import Platform
import Testing

@testable import Transport

@Suite struct DeadlinesTests {
    private static let start: Nanoseconds = .seconds(100)
    private static let slot = DeadlineWheel.slotWidth

    @Test func aNoteForAnEarlierSlotIsEnough() {
        var deadlines = Deadlines(now: Self.start)
        let first = deadlines.note(1, at: Self.start + .seconds(1), noted: 0)
        #expect(first != 0)
        let answer1 = deadlines.note(1, at: Self.start + .seconds(9), noted: first)
        #expect(answer1 == first)
        let earlier = deadlines.note(1, at: Self.start + .milliseconds(500), noted: first)
        #expect(earlier < first)
        #expect(Deadlines.end(ofSlot: earlier) >= Self.start + .milliseconds(500))
        #expect(deadlines.next == Deadlines.end(ofSlot: earlier))
    }

    @Test func theTimerIsSetForTheEarliestAlone() {
        var deadlines = Deadlines(now: Self.start)
        #expect(deadlines.armed == .max)
        let answer2 = deadlines.mustArm(Self.start + 200)
        #expect(answer2)
        let answer3 = deadlines.mustArm(Self.start + 200)
        #expect(!answer3)
        let answer4 = deadlines.mustArm(Self.start + 300)
        #expect(!answer4)
        let answer5 = deadlines.mustArm(Self.start + 100)
        #expect(answer5)
        #expect(deadlines.armed == Self.start + 100)
    }

    @Test func whatIsDueIsTakenOnceAndTheTimerIsFree() {
        var deadlines = Deadlines(now: Self.start)
        let near = deadlines.note(1, at: Self.start + Self.slot, noted: 0)
        _ = deadlines.note(2, at: Self.start + .seconds(30), noted: 0)
        let answer6 = deadlines.mustArm(Deadlines.end(ofSlot: near))
        #expect(answer6)
        let due = deadlines.takeDue(now: Self.start + 4 * Self.slot)
        #expect(due.map(\.entry) == [1])
        #expect(due.map(\.slot) == [near])
        #expect(deadlines.armed == .max)
        let answer7 = deadlines.takeDue(now: Self.start + 4 * Self.slot).isEmpty
        #expect(answer7)
        #expect(deadlines.next.map { $0 >= Self.start + .seconds(30) } == true)
    }
}
