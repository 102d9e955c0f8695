import HTTPServer
import Platform
import Testing

@testable import Transport

@Suite struct ConnectionTableTests {
    private func connection(_ number: Int32, _ table: inout ConnectionTable) throws -> Connection {
        Connection(
            channel: Channel(socket: Descriptor(rawValue: number)), peer: .unix(path: ""), listener: 0, trust: [],
            generation: table.nextGeneration(), life: ConnectionLife(startsWithPreamble: false),
            session: HTTP1Session(keepsAlive: true), poller: try Poller(capacity: 1),
            spool: .forTests(), memory: MemoryBudget(limit: nil))
    }

    @Test func aConnectionIsFoundByItsPayload() throws {
        var table = ConnectionTable()
        let seven = try connection(7, &table)
        let three = try connection(3, &table)
        table.insert(seven)
        table.insert(three)
        #expect(table.count == 2)
        #expect(table[seven.payload] === seven && table[three.payload] === three)
        #expect(Array(table).map { $0.channel.socket.rawValue } == [3, 7])
    }

    @Test func anEarlierConnectionOfTheSameDescriptorIsNot() throws {
        var table = ConnectionTable()
        let first = try connection(5, &table)
        table.insert(first)
        let payload = first.payload
        table.remove(first)
        #expect(table[payload] == nil && table.count == 0)
        let second = try connection(5, &table)
        table.insert(second)
        #expect(table[payload] == nil && table[second.payload] === second)
        // Whoever removes the first once more removes nothing.
        table.remove(first)
        #expect(table.count == 1 && table[second.payload] === second)
    }

    @Test func whatWasNeverThereIsNotFound() throws {
        var table = ConnectionTable()
        #expect(table[ConnectionTable.payload(generation: 1, number: 1000)] == nil)
        #expect(table[.max] == nil)
        table.insert(try connection(2, &table))
        #expect(table[ConnectionTable.payload(generation: 1, number: 3)] == nil)
    }

    @Test func generationsLeaveTheHighestBitsFree() throws {
        var table = ConnectionTable()
        for _ in 0..<1000 {
            let payload = ConnectionTable.payload(generation: table.nextGeneration(), number: .max)
            #expect(payload >> 62 == 0)
        }
    }
}
