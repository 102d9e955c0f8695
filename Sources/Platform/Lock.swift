internal import Synchronization

/// A lock around a value, held for a few instructions at a time.
///
/// Not `Synchronization.Mutex`: on Linux that names its owner by a thread number which it remembers, and a forked process's
/// main thread remembers its parent's. A thread that then waits for it waits for ever.
public final class Lock<Value>: @unchecked Sendable {
    // `@unchecked`: `value` is touched by the holder alone, which the word decides.
    private var value: Value
    /// 0 free, 1 held, 2 held and waited for.
    private let word = Atomic<UInt32>(0)

    public init(_ value: Value) {
        self.value = value
    }

    public func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        if !word.compareExchange(expected: 0, desired: 1, ordering: .acquiring).exchanged {
            while word.exchange(2, ordering: .acquiring) != 0 { Futex.wait(word, while: 2) }
        }
        defer { if word.exchange(0, ordering: .releasing) == 2 { Futex.wake(word) } }
        return body(&value)
    }
}
