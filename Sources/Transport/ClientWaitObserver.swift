public import Platform

/// Hears of waits for the client while the application runs: they are no time of the application's.
public protocol ClientWaitObserver: AnyObject {
    /// The application waits for its client since then, on the monotonic clock; nil when it goes on.
    func clientWait(since moment: Nanoseconds?)

    /// Adds a part of such a wait, in nanoseconds.
    func noteClientWait(_ duration: Nanoseconds)
}
