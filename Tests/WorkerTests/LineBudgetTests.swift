import Platform
import Testing

struct LineBudgetTests {
    @Test func aFewMayComeAtOnce() {
        var budget = LineBudget()
        for _ in 0..<LineBudget.most { #expect(budget.spend(at: 1)) }
        #expect(!budget.spend(at: 1))
        #expect(!budget.spend(at: 1))
        #expect(budget.takeSuppressed() == 2)
        #expect(budget.takeSuppressed() == 0)
    }

    @Test func moreComeWithTime() {
        var budget = LineBudget()
        for _ in 0..<LineBudget.most { #expect(budget.spend(at: 1)) }
        #expect(!budget.spend(at: LineBudget.interval))
        #expect(budget.spend(at: 1 + LineBudget.interval))
        #expect(!budget.spend(at: 1 + LineBudget.interval))
        #expect(budget.spend(at: 1 + 2 * LineBudget.interval))
    }

    @Test func aLongPauseIsWorthNoMoreThanTheMost() {
        var budget = LineBudget()
        #expect(budget.spend(at: 1))
        let later = 1000 * LineBudget.interval
        for _ in 0..<LineBudget.most { #expect(budget.spend(at: later)) }
        #expect(!budget.spend(at: later))
    }
}
