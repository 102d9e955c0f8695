internal import Platform

/// What one connection may take before others have their turn: bytes and time, whichever is used up first. It takes
/// the clock.
///
/// The kernel takes from a fast client, or gives to one, as fast as this process goes on, so "until the socket has no
/// more" would be without end. A turn is short beside what a request costs, so that nobody notices those of others, and
/// long beside a poll, so that the polls between turns cost next to nothing.
struct TurnBudget {
    /// The most bytes that a turn reads.
    static let received = 262_144
    /// The most bytes that a turn sends.
    static let sent = 1 << 20
    /// The most bytes of either while others have requests that come one by one: 10 to 20 µs.
    static let small = 131_072
    /// Nanoseconds. What is under way when they are over is done first: a piece (`PieceSize`), or one call of the
    /// system.
    static let time: Nanoseconds = .microseconds(100)
    /// The same while others have requests that come one by one.
    static let shortTime: Nanoseconds = .microseconds(15)

    private var bytes: Int
    private let time: Nanoseconds
    private let largestPiece: Int
    private var end: Nanoseconds?

    /// - Parameters:
    ///   - besideInteractive: there are others with requests that come one by one
    ///     (`EventBatch.hasInteractiveClients`).
    ///   - now: when the turn began; nil where that is not worth a look at the clock before there are many bytes.
    init(bytes: Int, besideInteractive: Bool = false, now: Nanoseconds? = nil) {
        self.bytes = besideInteractive ? min(bytes, Self.small) : bytes
        largestPiece = besideInteractive ? Self.small : Self.largestPiece
        let time = besideInteractive ? Self.shortTime : Self.time
        self.time = time
        end = now.map { $0 + time }
    }

    /// The most bytes that the next call of the system should move.
    var piece: Int { min(bytes, largestPiece) }

    private static let largestPiece = 262_144

    /// So many bytes were moved.
    ///
    /// - Returns: whether the turn goes on.
    mutating func spend(_ count: Int, now: @autoclosure () -> Nanoseconds) -> Bool {
        bytes -= count
        guard bytes > 0 else { return false }
        // A small response is sent before its time is worth a look.
        guard end != nil || count >= Self.worthALook else { return true }
        let now = now()
        guard let end else {
            self.end = now + time
            return true
        }
        return now < end
    }

    private static let worthALook = 16_384
}

/// How many bytes of a body are read at a time: as many as take about as long as half a turn, whatever is done with
/// them. A body in chunks of a byte costs fifty times as much per byte as a plain one.
struct PieceSize: Equatable {
    static let most = 262_144
    /// Nanoseconds that a piece should take.
    static let aim: Nanoseconds = .microseconds(40)

    private(set) var bytes: Int
    private let least: Int

    /// While others have requests that come one by one: what a quarter of the time is enough for.
    var small: Int { max(least, bytes / 4) }

    /// - Parameter least: bytes below which it does not pay to read less.
    init(_ bytes: Int, least: Int) {
        self.bytes = bytes
        self.least = least
    }

    /// For a body that is kept as it comes. A piece is at least as large as what is written to a file without a copy.
    static let plain = PieceSize(131_072, least: BodySink.blockSize)
    /// For one whose chunks are decoded.
    static let chunked = PieceSize(16_384, least: 4096)

    /// A piece was read and dealt with.
    mutating func note(_ count: Int, took: Nanoseconds) {
        if took > 2 * Self.aim {
            bytes = max(least, bytes / 2)
        } else if took < Self.aim / 2, count == bytes {
            bytes = min(Self.most, bytes * 2)
        }
    }
}
