internal import Platform
internal import Synchronization

/// The one place where a worker's `Lifetime` is held, for every thread and for handlers of signals: a word, and no
/// lock.
public final class SharedLifetime: Sendable {
    private let word = Atomic<UInt64>(Lifetime.serving.word)

    public init() {}

    public var current: Lifetime { Lifetime(word: word.load(ordering: .acquiring)) }

    /// Moves on by an event.
    public func receive(_ event: Lifetime.Event) {
        var seen = word.load(ordering: .acquiring)
        while true {
            let next = Lifetime(word: seen).after(event).word
            let (isExchanged, original) = word.compareExchange(
                expected: seen, desired: next, ordering: .acquiringAndReleasing)
            if isExchanged { return }
            seen = original
        }
    }

    // For every response: one load.
    public var isLeaving: Bool { word.load(ordering: .acquiring) != Lifetime.serving.word }

    public var isQuitting: Bool { current.isQuitting }
}

/// A lifetime as a word: what it is in the lowest three bits, its Bool in the fourth, its deadline above. That is kept
/// in units of 16 ns, rounded down; the largest is `never`.
extension Lifetime {
    private static let unit: Nanoseconds = 16

    var word: UInt64 {
        switch self {
        case .serving: 0
        case .draining(let until, let replaced): Self.pack(1, until, replaced)
        case .quitting(let until): Self.pack(2, until, false)
        case .broken(let until, let quits): Self.pack(3, until, quits)
        case .ended(let until, let quits): Self.pack(4, until, quits)
        }
    }

    private static func pack(_ kind: UInt64, _ until: Nanoseconds, _ flag: Bool) -> UInt64 {
        until & ~(unit - 1) | (flag ? 8 : 0) | kind
    }

    init(word: UInt64) {
        let bits = word & ~(Self.unit - 1)
        let until = bits == ~(Self.unit - 1) ? Self.never : bits
        let flag = word & 8 != 0
        switch word & 7 {
        case 0: self = .serving
        case 1: self = .draining(until: until, replaced: flag)
        case 2: self = .quitting(until: until)
        case 3: self = .broken(until: until, quits: flag)
        default: self = .ended(until: until, quits: flag)
        }
    }
}
