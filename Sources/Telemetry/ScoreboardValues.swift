/// Who a client is, in words: what a slot can keep without making a string.
public struct ScoreboardClient: Equatable, Sendable {
    public enum Family: UInt8, Sendable {
        case unknown, ipv4, ipv6, unix
    }

    public let family: Family
    public let port: UInt16
    /// The most significant byte is the address's first; IPv4 in the low 32 bits.
    public let high: UInt64
    public let low: UInt64

    @inlinable
    init(family: Family, port: UInt16, high: UInt64, low: UInt64) {
        self.family = family
        self.port = port
        self.high = high
        self.low = low
    }

    @inlinable
    public static func ipv4(_ address: UInt32, port: UInt16) -> ScoreboardClient {
        ScoreboardClient(family: .ipv4, port: port, high: 0, low: UInt64(address))
    }

    @inlinable
    public static func ipv6(_ address: UInt128, port: UInt16) -> ScoreboardClient {
        ScoreboardClient(
            family: .ipv6, port: port, high: UInt64(truncatingIfNeeded: address >> 64),
            low: UInt64(truncatingIfNeeded: address))
    }

    public static var unix: ScoreboardClient {
        @inlinable get { ScoreboardClient(family: .unix, port: 0, high: 0, low: 0) }
    }

    public static var unknown: ScoreboardClient {
        @inlinable get { ScoreboardClient(family: .unknown, port: 0, high: 0, low: 0) }
    }

    /// The address, in host byte order; IPv4 in the low 32 bits.
    public var address: UInt128 { UInt128(high) << 64 | UInt128(low) }
}

/// What a worker is up to, in one word: read and written whole, so that its parts belong together.
public struct ScoreboardPresence: Equatable, Sendable {
    public var lifetime: CellLifetime
    /// Whether it takes connections from the listeners.
    public var accepting: Bool
    /// Runners in all, those with a request, and those that wait for one; at most 65,535 each.
    public var runners: Int
    public var busy: Int
    public var waiting: Int

    @inlinable
    public init(lifetime: CellLifetime, accepting: Bool = false, runners: Int = 0, busy: Int = 0, waiting: Int = 0) {
        self.lifetime = lifetime
        self.accepting = accepting
        self.runners = runners
        self.busy = busy
        self.waiting = waiting
    }

    @inlinable
    var word: UInt64 {
        func part(_ count: Int, at shift: UInt64) -> UInt64 { UInt64(min(max(count, 0), 65_535)) << shift }
        return UInt64(lifetime.rawValue) | (accepting ? 1 << 8 : 0) | part(runners, at: 16) | part(busy, at: 32)
            | part(waiting, at: 48)
    }

    @inlinable
    init(word: UInt64) {
        self.init(
            lifetime: CellLifetime(rawValue: UInt8(truncatingIfNeeded: word)) ?? .free,
            accepting: word & 1 << 8 != 0, runners: Int(word >> 16 & 0xFFFF), busy: Int(word >> 32 & 0xFFFF),
            waiting: Int(word >> 48))
    }
}
