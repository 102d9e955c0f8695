import Platform
import Scheduling
import Testing

@Suite struct RunningTimeTests {
    private let start = Nanoseconds.seconds(1000)
    private var time = RunningTime(nap: .seconds(1))

    /// Looks at these milliseconds, and returns the last answer in milliseconds.
    private mutating func look(at moments: Int..., since began: Int = 0) -> UInt64 {
        var answer: Nanoseconds = 0
        for moment in moments {
            answer = time.look(at: start + .milliseconds(moment), since: start + .milliseconds(began))
        }
        return answer / .milliseconds(1)
    }

    @Test mutating func whatIsLookedAtRegularlyHasItsTime() {
        #expect(look(at: 800, 1800, 2900, 4400) == 4400)
    }

    @Test mutating func aGapDoesNotCount() {
        #expect(look(at: 800, 1800, 60_000) == 1800)
        #expect(look(at: 61_000, 62_000) == 3800)
    }

    @Test mutating func aGapBeforeTheFirstLookDoesNotCount() {
        #expect(look(at: 60_000) == 0)
        #expect(look(at: 61_000) == 1000)
    }

    @Test mutating func somethingElseStartsAnew() {
        #expect(look(at: 800, 60_000) == 800)
        #expect(look(at: 61_000, since: 60_500) == 500)
        #expect(look(at: 62_000, since: 60_500) == 1500)
    }

    @Test mutating func whoLooksMayHaveHadOtherThingsToDo() {
        #expect(look(at: 800) == 800)
        time.resume(at: start + .milliseconds(9000))
        #expect(look(at: 10_000) == 10_000)
    }

    @Test mutating func aClockThatIsReadEarlierIsNoTime() {
        #expect(look(at: 500, since: 600) == 0)
        #expect(look(at: 1500, since: 600) == 900)
    }
}
