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

/// What a worker is up to, in one word: read, compared and written whole, so that its parts belong together.
public struct ScoreboardPresence: Equatable, Sendable {
    /// From the lowest bit: the lifetime in 8 bits, whether it accepts, and from bit 16 on the three counts.
    @usableFromInline private(set) var word: UInt64

    @inlinable @inline(__always)
    public init(lifetime: CellLifetime, accepting: Bool = false, runners: Int = 0, busy: Int = 0, waiting: Int = 0) {
        word =
            UInt64(lifetime.rawValue) | (accepting ? 1 << 8 : 0) | Self.part(runners, at: 16) | Self.part(busy, at: 32)
            | Self.part(waiting, at: 48)
    }

    @inlinable
    init(word: UInt64) {
        self.word = word
    }

    public var lifetime: CellLifetime {
        @inlinable get { CellLifetime(rawValue: UInt8(truncatingIfNeeded: word)) ?? .free }
    }

    /// Whether it takes connections from the listeners.
    public var accepting: Bool {
        @inlinable get { word & 1 << 8 != 0 }
    }

    /// Runners in all; at most 65,535, as those with a request, and those that wait for one.
    public var runners: Int {
        @inlinable get { count(at: 16) }
    }
    public var busy: Int {
        @inlinable get { count(at: 32) }
    }
    public var waiting: Int {
        @inlinable @inline(__always) get { count(at: 48) }
    }

    /// The same with one runner less that waits: one that waits there is.
    @inlinable @inline(__always)
    public func withOneWaitingLess() -> ScoreboardPresence { ScoreboardPresence(word: word &- 1 << 48) }

    /// The same on its way out: nobody waits.
    public func leaving() -> ScoreboardPresence {
        ScoreboardPresence(lifetime: .leaving, accepting: accepting, runners: runners, busy: busy)
    }

    @inlinable @inline(__always)
    func count(at shift: UInt64) -> Int { Int(word >> shift & 0xFFFF) }

    @inlinable @inline(__always)
    static func part(_ count: Int, at shift: UInt64) -> UInt64 { UInt64(UInt16(clamping: count)) << shift }
}
