internal import Platform

/// A worker's connections, by descriptor number, which the kernel keeps small.
struct ConnectionTable: Sequence {
    private var slots: [Connection?] = []
    private(set) var count = 0
    private var generation: UInt32 = 0

    /// A number that tells a new connection from earlier ones with the same descriptor. Its 30 bits leave the two
    /// highest of an event's payload to what is no connection.
    mutating func nextGeneration() -> UInt32 {
        generation = (generation &+ 1) & 0x3FFF_FFFF
        return generation
    }

    mutating func insert(_ connection: Connection) {
        let index = Self.index(of: connection)
        while slots.count <= index { slots.append(nil) }
        precondition(slots[index] == nil, "two connections on one descriptor")
        slots[index] = connection
        count += 1
    }

    /// Takes a connection out, before its descriptor is closed.
    mutating func remove(_ connection: Connection) {
        let index = Self.index(of: connection)
        guard index < slots.count, slots[index] === connection else { return }
        slots[index] = nil
        count -= 1
    }

    /// The connection that an event or a note of the wheel is for; nil when that one is gone.
    @inline(__always)
    subscript(payload: UInt64) -> Connection? {
        let index = Int(payload & 0xFFFF_FFFF)
        guard index < slots.count, let connection = slots[index], connection.generation == UInt32(payload >> 32)
        else { return nil }
        return connection
    }

    /// What the poller and the wheel give back for a connection.
    static func payload(generation: UInt32, number: Int32) -> UInt64 {
        UInt64(generation) << 32 | UInt64(UInt32(bitPattern: number))
    }

    private static func index(of connection: Connection) -> Int { Int(connection.channel.socket.rawValue) }

    func makeIterator() -> Iterator { Iterator(slots: slots[...]) }

    struct Iterator: IteratorProtocol {
        fileprivate var slots: ArraySlice<Connection?>

        mutating func next() -> Connection? {
            while let slot = slots.popFirst() {
                if let slot { return slot }
            }
            return nil
        }
    }
}
