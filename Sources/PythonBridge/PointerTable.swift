/// Numbers pointers in the order in which they are first seen.
///
/// A `Dictionary` takes three times as long, and there are some hundred thousand.
struct PointerTable {
    private(set) var pointers: [PyPointer] = []
    /// One more than the number, by address; 0 for none. With open addressing, at most half full.
    private var places: [UInt32]

    init(expected: Int) {
        var capacity = 64
        while capacity < expected * 2 { capacity *= 2 }
        places = Array(repeating: 0, count: capacity)
        pointers.reserveCapacity(expected)
    }

    var count: Int { pointers.count }

    /// - Returns: its number, and whether it is a new one.
    @inline(__always)
    mutating func number(_ pointer: PyPointer) -> (number: Int, isNew: Bool) {
        let place = place(of: pointer)
        let found = places[place]
        if found != 0 { return (Int(found) - 1, false) }
        pointers.append(pointer)
        places[place] = UInt32(pointers.count)
        if pointers.count * 2 > places.count { grow() }
        return (pointers.count - 1, true)
    }

    @inline(__always)
    private func place(of pointer: PyPointer) -> Int {
        // What malloc makes stands at multiples of 16.
        let hash = (UInt(bitPattern: pointer) >> 4) &* 0x9E37_79B9_7F4A_7C15 >> 20
        let mask = places.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while places[place] != 0, pointers[Int(places[place]) - 1] != pointer { place = (place + 1) & mask }
        return place
    }

    private mutating func grow() {
        places = Array(repeating: 0, count: places.count * 2)
        for (number, pointer) in pointers.enumerated() { places[place(of: pointer)] = UInt32(number + 1) }
    }
}
