import Platform
import Testing

@testable import Arbiter

@Suite struct MoldDeskTests {
    private let order = Mold.Order(age: 7, cell: 0)

    @Test func anOrderIsForOneMold() throws {
        let desk = try MoldDesk()
        var (own, other) = (desk.orderCount, desk.orderCount)
        #expect(desk.order(order, from: 101, patience: 0) == .silence)
        #expect(desk.nextOrder(for: 102, after: &other, timeout: 0) == nil)
        #expect(desk.nextOrder(for: 101, after: &own, timeout: 0) == order)
        #expect(desk.nextOrder(for: 101, after: &own, timeout: 0) == nil)
        #expect(own == other)
    }

    @Test func oneThatBeginsLaterDoesNotCarryOutWhatWasOrderedBefore() throws {
        let desk = try MoldDesk()
        _ = desk.order(order, from: 101, patience: 0)
        var seen = desk.orderCount
        #expect(desk.nextOrder(for: 101, after: &seen, timeout: 0) == nil)
        _ = desk.order(Mold.Order(age: 8, cell: nil), from: 101, patience: 0)
        #expect(desk.nextOrder(for: 101, after: &seen, timeout: 0) == Mold.Order(age: 8, cell: nil))
    }

    @Test(arguments: [(205, .worker(205)), (nil, .none)] as [(ProcessID?, MoldDesk.Answer)])
    func whoWaitsIsAnswered(_ worker: ProcessID?, _ answer: MoldDesk.Answer) throws {
        let desk = try MoldDesk()
        let order = order
        var seen = desk.orderCount
        try Thread.start(name: "mold") { [seen] in
            var seen = seen
            while desk.nextOrder(for: 101, after: &seen, timeout: .seconds(60)) != order {}
            desk.answer(seen, worker)
        }
        #expect(desk.order(order, from: 101, patience: .seconds(60)) == answer)
        _ = desk.nextOrder(for: 101, after: &seen, timeout: 0)
        // An answer to that one is none to the next.
        desk.answer(seen, 999)
        #expect(desk.order(order, from: 101, patience: 0) == .silence)
    }

    @Test func oneIsPromoted() throws {
        let desk = try MoldDesk()
        #expect(!desk.isPromoted(101))
        desk.promote(101)
        #expect(desk.isPromoted(101) && !desk.isPromoted(102))
        desk.promote(102)
        #expect(!desk.isPromoted(101))
    }
}
