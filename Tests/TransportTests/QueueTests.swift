import Testing

@testable import Transport

@Suite struct QueueTests {
    @Test func givesBackInOrder() {
        var queue = Queue<Int>()
        #expect(queue.isEmpty)
        #expect(queue.popFirst() == nil)
        #expect(queue.first == nil)
        queue.append(1)
        queue.append(2)
        #expect(!queue.isEmpty)
        #expect(queue.first == 1)
        #expect(queue.popFirst() == 1)
        #expect(queue.first == 2)
        queue.append(3)
        #expect(queue.popFirst() == 2)
        #expect(queue.popFirst() == 3)
        #expect(queue.popFirst() == nil)
        #expect(queue.isEmpty)
        queue.append(4)
        #expect(queue.popFirst() == 4)
    }

    @Test func insertsInOrder() {
        for taken in 0..<4 {
            var queue = Queue<(age: Int, name: Character)>()
            for _ in 0..<taken { queue.append((0, "x")) }
            for (age, name) in zip([3, 5, 5, 4, 1, 9], "abcdef") {
                queue.insert((age, name)) { age < $0.age }
                // Part of the queue is in the past, and must stay there.
                if !queue.isEmpty, queue.first?.name == "x" { _ = queue.popFirst() }
            }
            var names = ""
            while let (_, name) = queue.popFirst() { if name != "x" { names.append(name) } }
            // Of equals, the first to come stays first.
            #expect(names == "eadbcf")
        }
    }

    /// Long enough for the past to be dropped, several times.
    @Test func keepsItsOrderWhenItNeverRunsEmpty() {
        var queue = Queue<Int>()
        var next = 0
        var expected = 0
        for _ in 0..<5000 {
            queue.append(next)
            next += 1
        }
        for round in 0..<20_000 {
            queue.append(next)
            next += 1
            for _ in 0..<(round % 3) where queue.popFirst().map({ $0 == expected }) == true { expected += 1 }
        }
        while let item = queue.popFirst() {
            #expect(item == expected)
            expected += 1
        }
        #expect(expected == next)
    }

    @Test func letsGoOfWhatIsTaken() {
        final class Token {}
        var queue = Queue<Token>()
        weak var taken: Token?
        do {
            let token = Token()
            taken = token
            queue.append(token)
            queue.append(Token())
        }
        #expect(taken != nil)
        _ = queue.popFirst()
        #expect(taken == nil)
        #expect(!queue.isEmpty)
    }
}
