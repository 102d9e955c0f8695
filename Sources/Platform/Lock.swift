internal import Synchronization

/// A lock in one word, held for a few instructions at a time; who waits sleeps (`futex(2)`).
///
/// Not `Synchronization.Mutex`: on Linux that names its owner by a thread number which it remembers, and a forked
/// process's main thread remembers its parent's. A thread that then waits for it waits for ever.
public struct LockWord: ~Copyable, Sendable {
    /// 0 free, 1 held, 2 held and waited for.
    private let word = Atomic<UInt32>(0)

    /// A word that nobody has.
    public init() {}

    /// Waits until it is free, and holds it.
    @inline(__always)
    public func lock() {
        if !word.compareExchange(expected: 0, desired: 1, ordering: .acquiring).exchanged { wait() }
    }

    @inline(never)
    private func wait() {
        while word.exchange(2, ordering: .acquiring) != 0 { Futex.wait(word, while: 2) }
    }

    /// For who holds it.
    @inline(__always)
    public func unlock() {
        if word.exchange(0, ordering: .releasing) == 2 { Futex.wake(word) }
    }
}

/// A value that one thread at a time may touch.
public final class Lock<Value>: @unchecked Sendable {
    // `@unchecked`: `value` is touched by the holder alone, which the word decides.
    private var value: Value
    private let word = LockWord()

    /// Nobody has it at first.
    public init(_ value: Value) {
        self.value = value
    }

    /// Runs a body while no other thread is in one. It must not wait for anything.
    public func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        word.lock()
        defer { word.unlock() }
        return body(&value)
    }
}
