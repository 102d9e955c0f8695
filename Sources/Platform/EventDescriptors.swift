internal import CSystem
internal import Glibc

/// An `eventfd(2)`: any thread, or a signal handler, wakes whoever polls it.
public struct Waker: Sendable {
    /// What to poll.
    public let descriptor: Descriptor

    public init() throws(SystemError) {
        descriptor = Descriptor(
            rawValue: try systemCall("eventfd") { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) })
    }

    /// Makes the descriptor readable. Any thread, and signal handlers.
    public func wake() {
        var one: UInt64 = 1
        _ = Glibc.write(descriptor.rawValue, &one, 8)
    }

    /// Makes it unreadable again.
    public func drain() {
        var count: UInt64 = 0
        _ = Glibc.read(descriptor.rawValue, &count, 8)
    }
}

/// A `timerfd_create(2)` on the monotonic clock: a deadline that a poller sees as a readable descriptor.
public struct TimerDescriptor: Sendable {
    /// What to poll.
    public let descriptor: Descriptor

    public init() throws(SystemError) {
        descriptor = Descriptor(
            rawValue: try systemCall("timerfd_create") {
                timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
            })
    }

    /// Becomes readable at `deadline` on the monotonic clock.
    public func arm(_ deadline: Nanoseconds) {
        var setting = itimerspec()
        setting.it_value.tv_sec = Int(deadline / 1_000_000_000)
        // Zero would disarm it.
        setting.it_value.tv_nsec = max(1, Int(deadline % 1_000_000_000))
        _ = timerfd_settime(descriptor.rawValue, Int32(TFD_TIMER_ABSTIME), &setting, nil)
    }

    /// Makes it unreadable again after it expired.
    public func drain() {
        var count: UInt64 = 0
        _ = Glibc.read(descriptor.rawValue, &count, 8)
    }
}

/// A `pipe(2)` whose bytes are news, not data: for those who can write a byte but not to an eventfd, such as Python's
/// signal handlers (`signal.set_wakeup_fd`).
public struct WakePipe: Sendable {
    /// Whoever polls watches this end.
    public let descriptor: Descriptor
    /// Non-blocking: a full pipe has said enough.
    public let writer: Descriptor

    public init() throws(SystemError) {
        var ends: (Int32, Int32) = (-1, -1)
        _ = try systemCall("pipe2") {
            withUnsafeMutableBytes(of: &ends) { csystem_pipe($0.assumingMemoryBound(to: Int32.self).baseAddress) }
        }
        descriptor = Descriptor(rawValue: ends.0)
        writer = Descriptor(rawValue: ends.1)
    }

    /// Makes it readable. A full pipe is readable already.
    public func wake() {
        var byte: UInt8 = 0
        _ = Glibc.write(writer.rawValue, &byte, 1)
    }

    /// Waits until there is news, a signal arrives, or the time is up.
    public func wait(milliseconds: Int32) {
        var watched = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        // Not through the funnel: an interruption is an arrival, and its handler may want to run in Python.
        _ = poll(&watched, 1, milliseconds)
    }

    /// Makes it unreadable again.
    public func drain() {
        var bytes: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &bytes) { while Glibc.read(descriptor.rawValue, $0.baseAddress, $0.count) > 0 {} }
    }

    /// Closes both ends.
    public func close() {
        descriptor.close()
        writer.close()
    }
}
