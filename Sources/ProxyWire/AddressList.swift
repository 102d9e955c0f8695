/// Which addresses are believed: single ones and networks, or all of them.
///
/// An IPv4 peer of an IPv6 socket, `::ffff:a.b.c.d`, is found under either of its names.
public struct AddressList: Equatable, Sendable {
    private struct Network<Number: FixedWidthInteger & Sendable>: Equatable, Sendable {
        let base: Number
        let mask: Number

        func contains(_ number: Number) -> Bool { number & mask == base }
    }

    private var matchesAll = false
    private var v4: [Network<UInt32>] = []
    private var v6: [Network<UInt128>] = []

    /// Why a text is no entry of a list; ends a message.
    public struct ParseError: Error, Equatable, Sendable {
        public let remedy: String
    }

    /// An empty list: nobody.
    public init() {}

    public func contains(_ address: IPAddress) -> Bool {
        if matchesAll { return true }
        if case .v6(let number) = address, v6.contains(where: { $0.contains(number) }) { return true }
        if case .v4(let number) = address.unmapped { return v4.contains { $0.contains(number) } }
        return false
    }
}

extension AddressList {
    /// Adds `*`, an address, or a network such as `10.0.0.0/8`, `10.0.0.0/255.0.0.0` or `fd00::/8`.
    ///
    /// A network is written with its first address, as gunicorn demands: in `10.0.0.7/8`, either part may be the
    /// mistake.
    public mutating func add(_ entry: String) throws(ParseError) {
        if entry == "*" {
            matchesAll = true
            return
        }
        let parts = entry.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else {
            throw ParseError(remedy: "give IP addresses, networks such as 10.0.0.0/8, or * for every address")
        }
        switch address {
        case .v4(let base):
            let network = try Self.network(base, prefix: parts.count == 2 ? parts[1] : "32")
            v4.append(network)
        case .v6(let base):
            let network = try Self.network(base, prefix: parts.count == 2 ? parts[1] : "128")
            v6.append(network)
            if case .v4(let base) = address.unmapped, network.mask >> 32 == ~0 >> 32 {
                v4.append(Network(base: base, mask: UInt32(truncatingIfNeeded: network.mask)))
            }
        }
    }

    private static func network<Number>(
        _ base: Number, prefix: Substring
    ) throws(ParseError) -> Network<Number> where Number: FixedWidthInteger & Sendable {
        guard let mask: Number = mask(prefix) else {
            throw ParseError(remedy: "behind the slash stands a number from 0 to \(Number.bitWidth)")
        }
        guard base & mask == base else {
            throw ParseError(remedy: "the address is not the first of its network: shorten it, or drop the slash")
        }
        return Network(base: base, mask: mask)
    }

    /// The mask of a prefix length, or of an IPv4 mask: `255.0.0.0`, or inverted `0.255.255.255`.
    private static func mask<Number: FixedWidthInteger>(_ text: Substring) -> Number? {
        if !text.isEmpty, text.utf8.count <= 3, text.utf8.allSatisfy({ $0.decimalDigit != nil }) {
            guard let length = Int(text), length <= Number.bitWidth else { return nil }
            return length == 0 ? 0 : ~0 << (Number.bitWidth - length)
        }
        guard Number.bitWidth == 32, case .v4(let number)? = IPAddress(text) else { return nil }
        // Ones, then zeros: what is below them is one less than a power of two.
        for mask in [number, ~number] where ~mask & (~mask &+ 1) == 0 { return Number(mask) }
        return nil
    }
}
