internal import CSystem
internal import Glibc
public import Synchronization

/// Sleeping on a word of memory, `futex(2)`. Unlike a condition variable it returns when a signal arrives, which the
/// main thread needs: Python runs signal handlers there.
public enum Futex {
    /// Sleeps while the word still holds `expected`. Returns on a wake-up, a signal, the timeout, or for no reason.
    ///
    /// - Parameter timeout: nanoseconds; nil waits for as long as it takes.
    public static func wait(_ word: borrowing Atomic<UInt32>, while expected: UInt32, timeout: Nanoseconds? = nil) {
        withAddress(of: word) { address in
            guard let timeout else {
                _ = csystem_futex_wait(address, expected, nil)
                return
            }
            var limit = timespec()
            limit.tv_sec = Int(timeout / 1_000_000_000)
            limit.tv_nsec = Int(timeout % 1_000_000_000)
            _ = csystem_futex_wait(address, expected, &limit)
        }
    }

    /// Wakes up to `count` sleepers.
    public static func wake(_ word: borrowing Atomic<UInt32>, count: Int32 = 1) {
        withAddress(of: word) { address in _ = csystem_futex_wake(address, count) }
    }

    /// The same as `wait` for a word that several processes share.
    public static func waitShared(_ word: UnsafePointer<Atomic<UInt32>>, while expected: UInt32, timeout: Nanoseconds) {
        var limit = timespec()
        limit.tv_sec = Int(timeout / 1_000_000_000)
        limit.tv_nsec = Int(timeout % 1_000_000_000)
        _ = csystem_shared_futex_wait(word, expected, &limit)
    }

    /// Wakes every process that sleeps on a word that they share.
    public static func wakeShared(_ word: UnsafePointer<Atomic<UInt32>>) {
        _ = csystem_shared_futex_wake(word, .max)
    }

    /// `Atomic` is `@_rawLayout`: its address is stable for as long as its owner lives, and a borrow does not copy it.
    private static func withAddress(of word: borrowing Atomic<UInt32>, _ body: (UnsafeRawPointer) -> Void) {
        withUnsafePointer(to: word) { body(UnsafeRawPointer($0)) }
    }
}
