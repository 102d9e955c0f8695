import Platform
import Testing

@testable import Transport

/// When connections are taken, and from whom, on a clock of the test's.
@Suite struct AdmissionTests {
    private static let start: Nanoseconds = .seconds(100)

    /// One that watches its listeners.
    private func watching(maximum: Int = 2, batch: Int = 3) -> Admission {
        var admission = Admission(maximum: maximum, batch: batch)
        let answer1 = admission.change(now: Self.start, count: 0, isClosing: false)
        #expect(answer1 == true)
        return admission
    }

    @Test func saysOnlyWhatChanges() {
        var admission = watching()
        let answer2 = admission.change(now: Self.start, count: 1, isClosing: false)
        #expect(answer2 == nil)
        admission.isWanted = false
        #expect(admission.isWatching)
        let answer3 = admission.change(now: Self.start, count: 1, isClosing: false)
        #expect(answer3 == false)
        let answer4 = admission.change(now: Self.start, count: 1, isClosing: false)
        #expect(answer4 == nil)
        admission.isWanted = true
        let answer5 = admission.change(now: Self.start, count: 1, isClosing: true)
        #expect(answer5 == nil)
        let answer6 = admission.change(now: Self.start, count: 1, isClosing: false)
        #expect(answer6 == true)
        let answer7 = admission.change(now: Self.start, count: 1, isClosing: true)
        #expect(answer7 == false)
    }

    /// Being full is no reason to stop: somebody may give way. Having found nobody is.
    @Test func pausesInACrowdUntilAPlaceIsFreeOrTheTimeIsUp() {
        var admission = watching()
        #expect(admission.isFull(count: 2) && !admission.isFull(count: 1))
        let answer8 = admission.change(now: Self.start, count: 2, isClosing: false)
        #expect(answer8 == nil)
        let end = admission.pauseInCrowd(now: Self.start)
        #expect(end == Self.start + Admission.leastWait)
        #expect(admission.nextWakeUp(now: Self.start) == end)
        let answer9 = admission.change(now: Self.start + 1, count: 2, isClosing: false)
        #expect(answer9 == false)
        let answer10 = admission.change(now: Self.start + 2, count: 1, isClosing: false)
        #expect(answer10 == true)
        let answer11 = admission.change(now: Self.start + 3, count: 2, isClosing: false)
        #expect(answer11 == false)
        let answer12 = admission.change(now: end, count: 2, isClosing: false)
        #expect(answer12 == true)
        #expect(admission.nextWakeUp(now: end) == nil)
    }

    @Test func backsOffWithoutDescriptorsAndSaysSoOnceAMinute() {
        var admission = watching()
        let first = admission.pauseExhausted(now: Self.start)
        #expect(first.isNews)
        #expect(first.until == Self.start + .milliseconds(200))
        let answer13 = admission.change(now: first.until - 1, count: 0, isClosing: false)
        #expect(answer13 == false)
        #expect(admission.nextWakeUp(now: first.until - 1) == first.until)
        let answer14 = admission.change(now: first.until, count: 0, isClosing: false)
        #expect(answer14 == true)
        let answer15 = admission.pauseExhausted(now: Self.start + .seconds(59)).isNews
        #expect(!answer15)
        let answer16 = admission.pauseExhausted(now: Self.start + .seconds(60)).isNews
        #expect(answer16)
    }

    @Test func wakesUpForThePauseThatEndsFirst() {
        var admission = watching()
        let crowd = admission.pauseInCrowd(now: Self.start)
        let exhausted = admission.pauseExhausted(now: Self.start).until
        #expect(admission.nextWakeUp(now: Self.start) == exhausted)
        #expect(admission.nextWakeUp(now: exhausted) == crowd)
        #expect(admission.nextWakeUp(now: crowd) == nil)
    }

    @Test func anEventBringsItsShare() {
        var admission = watching(batch: 3)
        let answer17 = (0..<5).map { _ in admission.takesAnother() }
        #expect(answer17 == [true, true, true, false, false])
        admission.endShare()
        let answer18 = admission.takesAnother()
        #expect(answer18)
        // Another listener's event begins anew.
        admission.endShare()
        let answer19 = (0..<4).map { _ in admission.takesAnother() }
        #expect(answer19 == [true, true, true, false])
    }

    @Test func anEventIsVoidOnceAcceptingStopped() {
        var admission = watching()
        admission.isWanted = false
        _ = admission.change(now: Self.start, count: 0, isClosing: false)
        let answer20 = admission.takesAnother()
        #expect(!answer20)
    }

    @Test func whoWaitsForLongestGivesWayAndTheSilentFirst() {
        let now = Self.start
        let silent = Admission.Candidate(stage: .silent, since: now - .seconds(2))
        let newer = Admission.Candidate(stage: .silent, since: now - .seconds(1))
        let idle = Admission.Candidate(stage: .idle, since: now - .seconds(60))
        #expect(silent.goes(before: nil))
        #expect(silent.goes(before: newer) && !newer.goes(before: silent))
        #expect(newer.goes(before: idle) && !idle.goes(before: newer))
        #expect(!idle.goes(before: idle))
        #expect(newer.mayGiveWay(now: now))
        #expect(!newer.mayGiveWay(now: now - 1))
    }
}
