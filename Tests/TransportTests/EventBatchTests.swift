import Testing

@testable import Transport

@Suite struct EventBatchTests {
    @Test func goesThroughEachEventOnce() {
        var batch = EventBatch()
        #expect(batch.isOver)
        batch.begin(3, queued: 0)
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
        let answer1 = batch.takeTurn()
        #expect(!answer1)
        batch.begin(0, queued: queued)
        let answer2 = (0..<turns).allSatisfy { _ in batch.takeTurn() }
        #expect(answer2)
        let answer3 = batch.takeTurn()
        #expect(!answer3)
    }
}
