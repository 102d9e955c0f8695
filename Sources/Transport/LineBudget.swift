public import Platform

/// How many lines of a kind may be written: a few at once, and more with time. A server in trouble has many slow
/// requests, or clients that leave, and a log that is full of them helps nobody.
public struct LineBudget: Sendable {
    /// At once.
    public static let most = 10
    /// After which there may be one more.
    public static let interval = Nanoseconds.seconds(6)

    private var left = most
    /// When there may be one more, while there are fewer than the most.
    private var next: Nanoseconds = 0
    private var suppressed = 0

    public init() {}

    /// - Returns: whether a line may be written now.
    public mutating func spend(at now: Nanoseconds) -> Bool {
        while left < Self.most, now >= next {
            left += 1
            next += Self.interval
        }
        guard left > 0 else {
            suppressed += 1
            return false
        }
        if left == Self.most { next = now + Self.interval }
        left -= 1
        return true
    }

    /// How many were not written since this was asked last.
    public mutating func takeSuppressed() -> Int {
        defer { suppressed = 0 }
        return suppressed
    }
}
