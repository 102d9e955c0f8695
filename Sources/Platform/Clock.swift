internal import Glibc

/// A point on the monotonic clock, in nanoseconds. Comparable only within one boot.
public typealias Nanoseconds = UInt64

/// The system's clocks.
public enum Clock {
    /// `CLOCK_MONOTONIC`: nanoseconds since an arbitrary start.
    public static func now() -> Nanoseconds {
        read(CLOCK_MONOTONIC)
    }

    /// `CLOCK_REALTIME_COARSE`: seconds since 1970 (UTC), up to a few milliseconds late. Reads no hardware.
    public static func wallSeconds() -> Int64 {
        var time = timespec()
        _ = clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return Int64(time.tv_sec)
    }

    /// How many seconds local time is ahead of UTC at a moment, given in seconds since 1970 (`localtime_r(3)`).
    public static func zoneOffset(at seconds: Int64) -> Int {
        var moment = time_t(seconds)
        var local = tm()
        return localtime_r(&moment, &local) == nil ? 0 : local.tm_gmtoff
    }

    private static func read(_ clock: clockid_t) -> Nanoseconds {
        var time = timespec()
        _ = clock_gettime(clock, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}

extension Nanoseconds {
    /// Seconds in nanoseconds.
    public static func seconds(_ count: Int) -> Nanoseconds { UInt64(count) &* 1_000_000_000 }
    /// Milliseconds in nanoseconds.
    public static func milliseconds(_ count: Int) -> Nanoseconds { UInt64(count) &* 1_000_000 }
    /// Microseconds in nanoseconds.
    public static func microseconds(_ count: Int) -> Nanoseconds { UInt64(count) &* 1_000 }
}
