import Platform
import Testing

@testable import Transport

/// When connections are taken, and from whom, on a clock of the test's.
@Suite struct AdmissionTests {
    private static let start: Nanoseconds = .seconds(100)

    /// One that watches its listeners.
    private func watching(
        maximum: Int = 2, batch: Int = 3, sharesListeners: Bool = true, crowd: CrowdRule = .patient
    ) -> Admission {
        var admission = Admission(maximum: maximum, batch: batch, sharesListeners: sharesListeners, crowd: crowd)
        let answer1 = admission.change(now: Self.start, count: 0, isClosing: false)
        #expect(answer1 == .now)
        return admission
    }

    @Test func saysOnlyWhatChanges() {
        var admission = watching()
        let answer2 = admission.change(now: Self.start, count: 1, isClosing: false)
        #expect(answer2 == nil)
        admission.isWanted = false
        #expect(admission.attention == .now)
        let answer3 = admission.change(now: Self.start, count: 1, isClosing: false)
        #expect(answer3 == .late)
        let answer4 = admission.change(now: Self.start, count: 1, isClosing: false)
        #expect(answer4 == nil)
        admission.isWanted = true
        let answer5 = admission.change(now: Self.start, count: 1, isClosing: true)
        #expect(answer5 == Admission.Attention.none)
        let answer6 = admission.change(now: Self.start, count: 1, isClosing: false)
        #expect(answer6 == .now)
        let answer7 = admission.change(now: Self.start, count: 1, isClosing: true)
        #expect(answer7 == Admission.Attention.none)
    }

    /// Being full is no reason to stop: somebody may give way. Having found nobody is.
    @Test func pausesInACrowdUntilAPlaceIsFreeOrTheTimeIsUp() {
        var admission = watching()
        #expect(admission.isFull(count: 2) && !admission.isFull(count: 1))
        let answer8 = admission.change(now: Self.start, count: 2, isClosing: false)
        #expect(answer8 == nil)
        let end = admission.pauseInCrowd(until: nil, isAwaited: true, now: Self.start)
        #expect(end == Self.start + CrowdRule.patient.leastWait(isInRequest: true))
        #expect(admission.nextWakeUp(now: Self.start) == end)
        let answer9 = admission.change(now: Self.start + 1, count: 2, isClosing: false)
        #expect(answer9 == Admission.Attention.none)
        let answer10 = admission.change(now: Self.start + 2, count: 1, isClosing: false)
        #expect(answer10 == .now)
        let answer11 = admission.change(now: Self.start + 3, count: 2, isClosing: false)
        #expect(answer11 == Admission.Attention.none)
        let answer12 = admission.change(now: end, count: 2, isClosing: false)
        #expect(answer12 == .now)
        #expect(admission.nextWakeUp(now: end) == nil)
    }

    @Test func backsOffWithoutDescriptorsAndSaysSoOnceAMinute() {
        var admission = watching()
        let first = admission.pauseExhausted(now: Self.start, isShortage: true)
        #expect(first.isNews)
        #expect(first.until == Self.start + .milliseconds(200))
        let answer13 = admission.change(now: first.until - 1, count: 0, isClosing: false)
        #expect(answer13 == Admission.Attention.none)
        #expect(admission.nextWakeUp(now: first.until - 1) == first.until)
        let answer14 = admission.change(now: first.until, count: 0, isClosing: false)
        #expect(answer14 == .now)
        let answer15 = admission.pauseExhausted(now: Self.start + .seconds(59), isShortage: true).isNews
        #expect(!answer15)
        let answer16 = admission.pauseExhausted(now: Self.start + .seconds(60), isShortage: true).isNews
        #expect(answer16)
    }

    /// Nobody has to go for what a free descriptor would not help.
    @Test func noPlaceHelpsWhereAcceptingIsForbidden() {
        var admission = watching()
        let pause = admission.pauseExhausted(now: Self.start, isShortage: false)
        let asks = admission.asksToLeave(now: Self.start + 1, count: 1)
        #expect(!asks && admission.isShortUntil == 0)
        #expect(admission.nextWakeUp(now: Self.start) == pause.until)
    }

    @Test func wakesUpForThePauseThatEndsFirst() {
        var admission = watching()
        let crowd = admission.pauseInCrowd(until: nil, isAwaited: true, now: Self.start)
        let exhausted = admission.pauseExhausted(now: Self.start, isShortage: true).until
        #expect(admission.nextWakeUp(now: Self.start) == exhausted)
        #expect(admission.nextWakeUp(now: exhausted) == crowd)
        #expect(admission.nextWakeUp(now: crowd) == nil)
    }

    /// While somebody waits for whom there is no room, each connection is asked to leave once a second, on average.
    @Test func thoseWhoAskAllTheTimeMakeRoom() {
        var admission = watching(maximum: 4)
        let early = admission.asksToLeave(now: Self.start, count: 4)
        #expect(!early)
        let end = admission.pauseInCrowd(until: nil, isAwaited: true, now: Self.start)
        let asked = (0..<10).map { admission.asksToLeave(now: Self.start + .milliseconds(100) * $0, count: 4) }
        #expect(asked == [true, false, false, true, false, false, true, false, false, true])
        let late = admission.asksToLeave(now: end, count: 4)
        #expect(!late)
    }

    @Test func nobodyLeavesForNobody() {
        var admission = watching(maximum: 4)
        _ = admission.pauseInCrowd(until: nil, isAwaited: false, now: Self.start)
        let alone = admission.asksToLeave(now: Self.start, count: 4)
        #expect(!alone)
        _ = admission.pauseInCrowd(until: nil, isAwaited: true, now: Self.start)
        admission.noteTaken()
        let after = admission.asksToLeave(now: Self.start, count: 4)
        #expect(!after)
    }

    /// They need two descriptors at a time, and would never find them while new ones take each that comes free.
    @Test func thoseOfOtherWorkersComeFirst() {
        var admission = watching()
        admission.yield(now: Self.start, until: Self.start + .milliseconds(200))
        admission.noteRoom()
        let waits = admission.change(now: Self.start, count: 0, isClosing: false)
        #expect(waits == Admission.Attention.none && admission.isYielding)
        admission.noteTaken()
        let asks = admission.asksToLeave(now: Self.start, count: 1)
        #expect(asks)
        #expect(admission.nextWakeUp(now: Self.start) == Self.start + .milliseconds(200))
        admission.endYielding()
        let goesOn = admission.change(now: Self.start, count: 0, isClosing: false)
        #expect(goesOn == .now && !admission.isYielding && admission.isShortUntil == 0)
    }

    /// One descriptor is free, and no other comes free: that is enough for a new client, and never for a parcel.
    @Test func newOnesHaveTheirTurnToo() {
        var admission = watching()
        let pause = Nanoseconds.milliseconds(200)
        let attention = (0..<6 as Range<Nanoseconds>).map { turn -> Admission.Attention in
            let now = Self.start + pause * turn
            admission.yield(now: now, until: now + pause)
            let isWatched = admission.change(now: now + pause / 2, count: 1, isClosing: false) ?? admission.attention
            // Whoever has asked is still asked for: others may leave.
            #expect(now + pause / 2 < admission.isShortUntil)
            return isWatched
        }
        #expect(attention == [.none, .now, .none, .now, .none, .now])
    }

    @Test func whoWaitsForADescriptorHasTheNextThatIsFree() {
        var admission = watching()
        let pause = admission.pauseExhausted(now: Self.start, isShortage: true)
        let stopped = admission.change(now: Self.start + 1, count: 1, isClosing: false)
        #expect(stopped == Admission.Attention.none)
        admission.noteRoom()
        let goesOn = admission.change(now: Self.start + 2, count: 0, isClosing: false)
        #expect(goesOn == .now)
        #expect(admission.isShortUntil == pause.until)
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
        let head = Admission.Candidate(stage: .head, since: now - .seconds(70))
        let body = Admission.Candidate(stage: .body, since: now - .seconds(80))
        let leaving = Admission.Candidate(stage: .leaving, since: now - .seconds(1))
        let response = Admission.Candidate(stage: .response, since: now - .seconds(90))
        let inOrder = [leaving, silent, newer, idle, head, body, response]
        for (place, candidate) in inOrder.enumerated() {
            for later in inOrder[place...].dropFirst() {
                #expect(candidate.goes(before: later) && !later.goes(before: candidate))
            }
        }
        #expect(inOrder.map(\.stage.isInRequest) == [false, false, false, false, true, true, true])
        #expect(silent.goes(before: nil))
        #expect(silent.goes(before: newer) && !newer.goes(before: silent))
        #expect(newer.goes(before: idle) && !idle.goes(before: newer))
        #expect(!idle.goes(before: idle))
        #expect(newer.mayGiveWay(now: now, .patient))
        #expect(!newer.mayGiveWay(now: now - 1, .patient))
        #expect(newer.mayGiveWay(now: now - 1, .brisk))
        let fresh = Admission.Candidate(stage: .idle, since: now - .milliseconds(1))
        let stalled = Admission.Candidate(stage: .head, since: now - .milliseconds(1))
        #expect(fresh.mayGiveWay(now: now, .brisk) && !stalled.mayGiveWay(now: now, .brisk))
    }

    // MARK: Late

    /// Whoever shares its listeners leaves an arrival to others for a moment, and then takes what is still there.
    @Test func takesLateWhatNobodyTook() {
        var admission = watching()
        let eager = admission.noteArrival(now: Self.start)
        #expect(eager == nil)
        admission.isWanted = false
        _ = admission.change(now: Self.start, count: 0, isClosing: false)
        #expect(admission.attention == .late)
        let takesAnother = admission.takesAnother()
        #expect(!takesAnother)
        let early = admission.takesLate(now: Self.start + .seconds(1))
        #expect(!early)
        let moment = admission.noteArrival(now: Self.start)
        #expect(moment == Self.start + Admission.courtesy)
        #expect(admission.nextWakeUp(now: Self.start) == moment)
        // The one that comes behind it is taken with it.
        let second = admission.noteArrival(now: Self.start + 1)
        #expect(second == nil)
        let before = admission.takesLate(now: Self.start + Admission.courtesy - 1)
        #expect(!before)
        let due = admission.takesLate(now: Self.start + Admission.courtesy)
        #expect(due)
        let again = admission.takesLate(now: Self.start + Admission.courtesy)
        #expect(!again)
        #expect(admission.nextWakeUp(now: Self.start) == nil)
    }

    /// A runner that is free again takes what is there at once; who closes takes nothing.
    @Test(arguments: [false, true]) func whatIsToBeTakenLateIsForgottenWhenThatChanges(isClosing: Bool) {
        var admission = watching()
        admission.isWanted = false
        _ = admission.change(now: Self.start, count: 0, isClosing: false)
        _ = admission.noteArrival(now: Self.start)
        admission.isWanted = true
        let change = admission.change(now: Self.start, count: 0, isClosing: isClosing)
        #expect(change == (isClosing ? Admission.Attention.none : .now))
        let late = admission.takesLate(now: Self.start + .seconds(1))
        #expect(!late)
    }

    /// There is nobody to leave a connection to.
    @Test func aSingleWorkerTakesAtOnceThoughItIsBusy() {
        var admission = watching(sharesListeners: false)
        admission.isWanted = false
        let change = admission.change(now: Self.start, count: 0, isClosing: false)
        #expect(change == nil)
        let takesAnother = admission.takesAnother()
        #expect(takesAnother)
    }

    @Test func aCrowdIsLookedAtAgainWhenSomebodyMayGiveWay() {
        var admission = watching()
        let soon = admission.pauseInCrowd(until: Self.start + .milliseconds(300), isAwaited: true, now: Self.start)
        #expect(soon == Self.start + .milliseconds(300))
        // Not all the time, and not only when that one's time comes if others leave before.
        let now = admission.pauseInCrowd(until: Self.start, isAwaited: true, now: Self.start)
        #expect(now > Self.start && now < Self.start + .milliseconds(100))
        let latest = admission.pauseInCrowd(until: Self.start + .seconds(60), isAwaited: true, now: Self.start)
        #expect(latest == Self.start + CrowdRule.patient.leastWait(isInRequest: true))
        var brisk = watching(crowd: .brisk)
        let end = brisk.pauseInCrowd(until: nil, isAwaited: true, now: Self.start)
        #expect(end == Self.start + CrowdRule.brisk.leastWait(isInRequest: true))
    }

    @Test func theLogHearsOfThoseWhoGiveWayOnceAMinute() {
        var admission = watching()
        let answers = [0, 1, 59, 60].map { admission.notesGivingWay(now: Self.start + .seconds($0)) }
        #expect(answers == [true, false, false, true])
    }
}
