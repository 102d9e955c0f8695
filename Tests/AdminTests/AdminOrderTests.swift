import Platform
import Testing

@testable import Admin

struct AdminOrderTests {
    @Test(arguments: [
        ("reload", "", AdminOrder.tellMaster(.hangUp)), ("reopen", "", .tellMaster(.user1)),
        ("upgrade", "", .tellMaster(.user2)), ("quit", "", .tellMaster(.terminate)),
        ("quit", "now=1", .tellMaster(.quit)), ("workers/add", "", .tellMaster(.terminalInput)),
        ("workers/remove", "", .tellMaster(.terminalOutput)), ("workers/end", "pid=4711", .endWorker(4711)),
    ])
    func ordersAreUnderstood(command: String, query: String, order: AdminOrder) {
        #expect(AdminOrder(command[...], AdminQuery(query)) == order)
    }

    /// Process ids below 2 mean groups of processes, or process 1.
    @Test(arguments: [
        ("", ""), ("workers", ""), ("reload/", ""), ("workers/end", ""), ("workers/end", "pid=-1"),
        ("workers/end", "pid=0"), ("workers/end", "pid=1"), ("workers/end", "pid=99999999999999999999"),
        ("workers/end", "pid=12x"),
    ])
    func nothingElseIs(command: String, query: String) {
        #expect(AdminOrder(command[...], AdminQuery(query)) == nil)
    }

    @Test func aQueryIsPairs() {
        let query = AdminQuery("a=1&b=&c&=x&a=2")
        #expect(query["a"] == "1")
        #expect(query["b"] == "")
        #expect(query["c"] == nil)
        #expect(query["d"] == nil)
    }
}
