internal import Platform

/// How many lines may be written: a few at once, and more with time. A server in trouble has many slow requests, and a
/// log that is full of their stacks helps nobody.
struct LineBudget {
    /// At once.
    static let most = 10
    /// After which there may be one more.
    static let interval = Nanoseconds.seconds(6)

    private var left = most
    /// When there may be one more, while there are fewer than the most.
    private var next: Nanoseconds = 0
    private var suppressed = 0

    /// - Returns: whether a line may be written now.
    mutating func spend(at now: Nanoseconds) -> Bool {
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
    mutating func takeSuppressed() -> Int {
        defer { suppressed = 0 }
        return suppressed
    }
}
