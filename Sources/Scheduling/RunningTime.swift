public import Platform

/// How long something has lasted, without the time in which the whole process stood still: SIGSTOP, a debugger, a
/// machine that was suspended. It is found out by looking regularly: two looks are then much further apart than the
/// others.
public struct RunningTime: Sendable {
    /// Nanoseconds between two looks that are nothing unusual.
    private let longestGap: Nanoseconds
    /// What is looked at, by its beginning.
    private var beginning: Nanoseconds = 0
    private var lastLook: Nanoseconds = 0
    /// How long it stood still.
    private var stoodStill: Nanoseconds = 0

    /// - Parameter nap: nanoseconds between two looks.
    public init(nap: Nanoseconds) { longestGap = nap + nap / 2 }

    /// - Parameter began: tells it from what was looked at before.
    /// - Returns: nanoseconds.
    public mutating func look(at now: Nanoseconds, since began: Nanoseconds) -> Nanoseconds {
        if began != beginning {
            beginning = began
            stoodStill = 0
        }
        let previous = max(lastLook, began)
        lastLook = now
        guard now > previous else { return Self.elapsed(from: began, to: now, without: stoodStill) }
        // All of the gap: how much of it the process ran cannot be told.
        if now - previous > longestGap { stoodStill += now - previous }
        return Self.elapsed(from: began, to: now, without: stoodStill)
    }

    /// There was no look until now because something else was done, and not because the process stood still.
    public mutating func resume(at now: Nanoseconds) { lastLook = now }

    private static func elapsed(
        from began: Nanoseconds, to now: Nanoseconds, without stoodStill: Nanoseconds
    ) -> Nanoseconds {
        now > began ? now - began - min(stoodStill, now - began) : 0
    }
}
