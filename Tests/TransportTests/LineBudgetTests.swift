import Platform
import Testing
import Transport

struct LineBudgetTests {
    /// Asks for lines at these moments.
    private func answers(_ budget: inout LineBudget, _ count: Int, at now: Nanoseconds) -> Int {
        var granted = 0
        for _ in 0..<count where budget.spend(at: now) { granted += 1 }
        return granted
    }

    @Test func aFewMayComeAtOnce() {
        var budget = LineBudget()
        let granted = answers(&budget, LineBudget.most + 2, at: 1)
        let suppressed = budget.takeSuppressed()
        let again = budget.takeSuppressed()
        #expect(granted == LineBudget.most)
        #expect(suppressed == 2)
        #expect(again == 0)
    }

    @Test func moreComeWithTime() {
        var budget = LineBudget()
        let first = answers(&budget, 100, at: 1)
        let tooEarly = answers(&budget, 100, at: LineBudget.interval)
        let second = answers(&budget, 100, at: 1 + LineBudget.interval)
        let third = answers(&budget, 100, at: 1 + 3 * LineBudget.interval)
        #expect([first, tooEarly, second, third] == [LineBudget.most, 0, 1, 2])
    }

    @Test func aLongPauseIsWorthNoMoreThanTheMost() {
        var budget = LineBudget()
        let first = answers(&budget, 1, at: 1)
        let later = answers(&budget, 100, at: 1000 * LineBudget.interval)
        #expect([first, later] == [1, LineBudget.most])
    }
}
