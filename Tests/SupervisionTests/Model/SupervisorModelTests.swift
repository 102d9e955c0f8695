import Testing

@testable import Supervision

/// Tries every order in which workers can boot, hang, die, want to leave, be told to and be replaced, with reloads,
/// changes of their number and stops in between, as far as the budgets go.
@Suite struct SupervisorModelTests {
    static let budgets = [
        // Deaths, recycling and forks that fail, with nothing else going on.
        Budget(deaths: 3, wishes: 1, failedForks: 1),
        // Reloads, among deaths.
        Budget(deaths: 1, reloads: 2),
        Budget(wishes: 2, reloads: 1, workers: 2),
        // Imports that hang.
        Budget(reloads: 1, waits: 3, bootTimeout: 10 * second),
        // Changes of the number of workers.
        Budget(deaths: 1, reloads: 1, changes: 2, workers: 1),
        // Stops, in the middle of all that.
        Budget(deaths: 1, wishes: 1, reloads: 1, stops: 2, workers: 1),
        // Code that is waited for until it is mended.
        Budget(deaths: 2, wishes: 1, reloads: 1, awaitsMending: true),
        // Workers that others are forked from, among deaths and reloads.
        Budget(deaths: 1, offers: 2, workers: 2),
        Budget(offers: 1, reloads: 2, workers: 2),
        Budget(deaths: 1, wishes: 1, offers: 1, stops: 1, workers: 1),
        // Room for more than one at once.
        Budget(deaths: 1, reloads: 1, workers: 2, step: 2),
    ]

    @Test(arguments: budgets)
    func everyOrderOfEvents(_ budget: Budget) {
        let start = ModelServer(budget)
        var seen: Set<[Int64]> = [start.signature]
        // Breadth first, so that the shortest way to a fault is what is shown.
        var open = [(server: start, path: [Move]())]
        var next = 0
        while next < open.count {
            let (server, path) = open[next]
            next += 1
            if let complaint = server.complaintAtRest() {
                Issue.record("\(complaint) after \(path)")
                return
            }
            for move in server.moves {
                var after = server
                if let complaint = after.make(move) {
                    Issue.record("\(complaint) after \(path + [move])")
                    return
                }
                if seen.insert(after.signature).inserted { open.append((after, path + [move])) }
            }
        }
        // A model that stands still proves nothing.
        #expect(seen.count > 500)
    }
}
