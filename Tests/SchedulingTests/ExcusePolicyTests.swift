import Platform
import Scheduling
import Testing

@Suite struct ExcusePolicyTests {
    private let tick = Nanoseconds.milliseconds(2)

    /// A loan whose thread had had the CPU for 1,000 ns when it was seen first.
    private struct Loan {
        var policy = ExcusePolicy()
        var questions = 0
        let tick: Nanoseconds

        init(_ tick: Nanoseconds, cpuTime: Nanoseconds? = 1000) {
            self.tick = tick
            policy.begin(cpuTime: cpuTime)
        }

        mutating func isExcused(_ cpuTime: Nanoseconds?, isRunnable: Bool = true) -> Bool {
            var count = 0
            func answer() -> Bool {
                count += 1
                return isRunnable
            }
            defer { questions += count }
            return policy.excuses(cpuTime: cpuTime, tick: tick, isRunnable: answer())
        }
    }

    /// What the policy says to these figures of the thread, one after the other.
    private func answers(_ cpuTimes: [Nanoseconds?], isRunnable: Bool = true, from first: Nanoseconds? = 1000) -> [Bool]
    {
        var loan = Loan(tick, cpuTime: first)
        return cpuTimes.map { loan.isExcused($0, isRunnable: isRunnable) }
    }

    @Test func aThreadThatIsReadyAndDoesNotRunIsExcused() {
        #expect(answers([1000, 1000, 1000 + tick / 2]) == [true, true, true])
    }

    @Test func aThreadThatSleepsIsNot() {
        #expect(answers([1000, 1000 + tick / 2], isRunnable: false) == [false, false])
    }

    @Test func aThreadThatComputesIsNot() {
        #expect(answers([1000 + tick, 1000 + tick / 2]) == [false, true])
    }

    @Test func theKernelIsAskedOnlyWhereItMatters() {
        var loan = Loan(tick)
        _ = loan.isExcused(1000 + tick)
        _ = loan.isExcused(nil)
        #expect(loan.questions == 0)
        _ = loan.isExcused(1000)
        #expect(loan.questions == 1)
    }

    @Test func noLoanIsExcusedForEver() {
        var loan = Loan(tick)
        for _ in 0..<2 {
            loan.policy.begin(cpuTime: 1000)
            var count = 0
            while loan.isExcused(1000), count <= ExcusePolicy.most { count += 1 }
            #expect(count == ExcusePolicy.most)
        }
    }

    @Test func whatIsNotKnownIsNoExcuse() {
        #expect(answers([1000], from: nil) == [false])
        #expect(answers([nil]) == [false])
        var policy = ExcusePolicy()
        let isExcused = policy.excuses(cpuTime: 1000, tick: tick, isRunnable: true)
        #expect(!isExcused)
    }

    @Test func aClockThatGoesBackIsNoTimeOfTheThread() {
        #expect(answers([500]) == [true])
    }
}
