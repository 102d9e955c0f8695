/// When changed files lead to a reload: after they have been left alone for a moment, since a checkout or an editor
/// that saves everything changes many of them. A build that never rests is not waited for without end.
///
/// All times are nanoseconds of the monotonic clock.
public struct ReloadPolicy: Equatable, Sendable {
    /// Nanoseconds without a change that end the waiting.
    public let quiet: UInt64
    /// Nanoseconds from the first change after which nothing is waited for.
    public let longest: UInt64
    /// The first and the last change that no reload has answered.
    private var pending: (first: UInt64, last: UInt64)?

    public init(quiet: UInt64 = 100_000_000, longest: UInt64 = 2_000_000_000) {
        self.quiet = quiet
        self.longest = max(quiet, longest)
    }

    /// Takes note that files changed.
    public mutating func recordChange(at now: UInt64) {
        pending = (pending?.first ?? now, now)
    }

    /// When `takeReload` will say yes although nothing more happens; nil when there is nothing to reload.
    public var deadline: UInt64? {
        pending.map { min($0.last.addingOrMax(quiet), $0.first.addingOrMax(longest)) }
    }

    /// Whether to reload now. A yes answers all changes so far.
    public mutating func takeReload(at now: UInt64) -> Bool {
        guard let deadline, now >= deadline else { return false }
        pending = nil
        return true
    }

    public static func == (left: ReloadPolicy, right: ReloadPolicy) -> Bool {
        left.quiet == right.quiet && left.longest == right.longest && left.pending?.first == right.pending?.first
            && left.pending?.last == right.pending?.last
    }
}
