import Platform
import Testing

@testable import Transport

@Suite struct TurnBudgetTests {
    private static let start: Nanoseconds = .seconds(100)

    @Test func endsWhenTheBytesAreUsedUp() {
        var budget = TurnBudget(bytes: 300_000, now: Self.start)
        #expect(budget.piece == 262_144)
        let first = budget.spend(262_144, now: Self.start)
        #expect(first)
        #expect(budget.piece == 300_000 - 262_144)
        let second = budget.spend(budget.piece, now: Self.start)
        #expect(!second)
    }

    @Test func endsWhenTheTimeIsOver() {
        var budget = TurnBudget(bytes: 1 << 20, now: Self.start)
        let before = budget.spend(1, now: Self.start + TurnBudget.time - 1)
        #expect(before)
        let after = budget.spend(1, now: Self.start + TurnBudget.time)
        #expect(!after)
    }

    /// Small ones are sent without a look at the clock; from the first large piece on it counts.
    @Test func looksAtTheClockWhenThatIsWorthIt() {
        var budget = TurnBudget(bytes: 1 << 20)
        var looks = 0
        func now(_ moment: Nanoseconds) -> Nanoseconds {
            looks += 1
            return moment
        }
        for _ in 0..<10 {
            let goesOn = budget.spend(1000, now: now(0))
            #expect(goesOn)
        }
        #expect(looks == 0)
        let large = budget.spend(100_000, now: now(Self.start))
        #expect(large && looks == 1)
        let late = budget.spend(1, now: now(Self.start + TurnBudget.time))
        #expect(!late && looks == 2)
    }

    @Test func isShorterWhileOthersWantAWordOnly() {
        var budget = TurnBudget(bytes: 1 << 20, besideInteractive: true, now: Self.start)
        #expect(budget.piece == TurnBudget.small)
        let before = budget.spend(1000, now: Self.start + TurnBudget.shortTime - 1)
        #expect(before && budget.piece == TurnBudget.small - 1000)
        let after = budget.spend(1, now: Self.start + TurnBudget.shortTime)
        #expect(!after)
        // What is less anyway is not made more.
        #expect(TurnBudget(bytes: 1000, besideInteractive: true).piece == 1000)
        #expect(PieceSize(100_000, least: 5000).small == 25_000)
        #expect(PieceSize(10_000, least: 5000).small == 5000)
    }

    // MARK: Pieces

    @Test func aPieceShrinksWithItsCostAndGrowsAgain() {
        var piece = PieceSize(65_536, least: 5000)
        for _ in 0..<20 { piece.note(piece.bytes, took: .milliseconds(1)) }
        #expect(piece.bytes == 5000)
        piece.note(piece.bytes, took: PieceSize.aim)
        #expect(piece.bytes == 5000)
        for _ in 0..<20 { piece.note(piece.bytes, took: 1000) }
        #expect(piece.bytes == PieceSize.most)
        // A short read says nothing of a long one.
        piece = .plain
        let before = piece.bytes
        piece.note(10, took: 1000)
        #expect(piece.bytes == before)
    }
}
