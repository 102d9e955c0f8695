import Platform
import Testing

@testable import Transport

@Suite struct EventBatchTests {
    @Test func goesThroughEachEventOnce() {
        var batch = EventBatch()
        #expect(batch.isOver)
        batch.begin(3, queued: 0, now: 0)
        var seen: [Int] = []
        while let place = batch.current {
            #expect(!batch.isOver)
            seen.append(place)
            batch.advance()
        }
        #expect(seen == [0, 1, 2])
        #expect(batch.isOver)
        #expect(batch.current == nil)
    }

    @Test(arguments: [(0, EventBatch.leastTurns), (1, EventBatch.leastTurns), (100, 100)])
    func everyQueuedConnectionHasATurn(queued: Int, turns: Int) {
        var batch = EventBatch()
        let answer1 = batch.takeTurn(now: 0)
        #expect(!answer1)
        batch.begin(0, queued: queued, now: 0)
        let answer2 = (0..<turns).allSatisfy { _ in batch.takeTurn(now: 0) }
        #expect(answer2)
        let answer3 = batch.takeTurn(now: 0)
        #expect(!answer3)
    }

    /// The queue may be long and its turns too: who has an event is heard of between them.
    @Test func turnsEndWhenTheirTimeIsUp() {
        var batch = EventBatch()
        batch.begin(0, queued: 100, now: 1000)
        let answers = [0, EventBatch.turnTime - 1, EventBatch.turnTime, 0].map { batch.takeTurn(now: 1000 + $0) }
        #expect(answers == [true, true, false, true])
        let held = [EventBatch.heldTime - 1, EventBatch.heldTime].map { batch.takeHeldTurn(now: 1000 + $0) }
        #expect(held == [true, false])
    }

    /// While there is a client whose requests come one by one, turns are shorter; it is forgotten after a while.
    @Test func turnsAreShorterBesideOthers() {
        var batch = EventBatch()
        batch.begin(1, queued: 100, now: 1000)
        batch.noteNews()
        let shared = [0, EventBatch.shortTurnTime - 1, EventBatch.shortTurnTime].map {
            batch.takeTurn(now: 1000 + $0)
        }
        #expect(shared == [true, true, false])
        let later = 1000 + EventBatch.memory
        batch.begin(0, queued: 100, now: later)
        let alone = [0, EventBatch.shortTurnTime, EventBatch.turnTime].map { batch.takeTurn(now: later + $0) }
        #expect(alone == [true, true, false])
    }

    @Test func thePostponedHaveATurnAfterEachPoll() {
        var batch = EventBatch()
        for _ in 0..<3 {
            batch.begin(0, queued: 0, now: 0)
            let answers = (0..<3).map { _ in batch.takePostponedTurn() }
            #expect(answers == [true, false, false])
        }
    }

    /// The events alone may have taken longer than that.
    @Test func oneHasItsTurnHoweverLateItIs() {
        var batch = EventBatch()
        for _ in 0..<3 {
            batch.begin(0, queued: 100, now: 1000)
            let answers = (0..<2).map { _ in batch.takeTurn(now: .seconds(10)) }
            #expect(answers == [true, false])
            batch.begin(0, queued: 0, now: 1000)
            let held = (0..<2).map { _ in batch.takeHeldTurn(now: .seconds(10)) }
            #expect(held == [true, false])
        }
    }
}
