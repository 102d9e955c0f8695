import Platform
import Testing

@testable import Arbiter

@Suite struct MoldDeskTests {
    private let order = Mold.Order(age: 7, cell: 0)
    private let isRunning: (ProcessID) -> Bool = { _ in true }

    @Test func anOrderIsForOneMold() throws {
        let desk = try MoldDesk()
        var (own, other) = (desk.orderCount, desk.orderCount)
        #expect(desk.order(order, from: 101, patience: 0, isRunning: isRunning) == .silence)
        #expect(desk.nextOrder(for: 102, after: &other, timeout: 0) == nil)
        #expect(desk.nextOrder(for: 101, after: &own, timeout: 0) == order)
        #expect(desk.nextOrder(for: 101, after: &own, timeout: 0) == nil)
        #expect(own == other)
    }

    @Test func oneThatBeginsLaterDoesNotCarryOutWhatWasOrderedBefore() throws {
        let desk = try MoldDesk()
        _ = desk.order(order, from: 101, patience: 0, isRunning: isRunning)
        var seen = desk.orderCount
        #expect(desk.nextOrder(for: 101, after: &seen, timeout: 0) == nil)
        _ = desk.order(Mold.Order(age: 8, cell: nil), from: 101, patience: 0, isRunning: isRunning)
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
        #expect(desk.order(order, from: 101, patience: .seconds(60), isRunning: isRunning) == answer)
        _ = desk.nextOrder(for: 101, after: &seen, timeout: 0)
        // An answer to that one is none to the next.
        desk.answer(seen, 999)
        #expect(desk.order(order, from: 101, patience: 0, isRunning: isRunning) == .silence)
    }

    /// It is not given up while its hook runs, however short the patience is, unless it cannot go on with that.
    @Test func aHookHasItsTime() throws {
        let desk = try MoldDesk()
        desk.beginHook(for: desk.orderCount + 1)
        var glances = 0
        let answer = desk.order(order, from: 101, patience: .milliseconds(1)) { mold in
            #expect(mold == 101)
            glances += 1
            if glances == 3 { desk.answer(desk.orderCount, 205) }
            return true
        }
        #expect(answer == .worker(205) && glances == 3)
        desk.beginHook(for: desk.orderCount + 1)
        #expect(desk.order(order, from: 101, patience: .milliseconds(1)) { _ in false } == .silence)
        desk.beginHook(for: desk.orderCount + 1)
        desk.endHook()
        #expect(desk.order(order, from: 101, patience: .milliseconds(1), isRunning: isRunning) == .silence)
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
