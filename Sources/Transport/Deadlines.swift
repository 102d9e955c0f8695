internal import Platform

/// When the worker has to look after something by itself: a wheel of notes, and the timer that rings for the first of
/// them. It takes the clock and sets no timer.
struct Deadlines {
    private var wheel: DeadlineWheel
    /// When the timer rings; `.max` is never.
    private(set) var armed = Nanoseconds.max

    init(now: Nanoseconds) {
        wheel = DeadlineWheel(now: now)
    }

    /// Has an entry looked at once its deadline is over.
    ///
    /// - Parameter slot: what it is noted for already, 0 for nothing. A note for an earlier slot is enough: whoever is
    ///   looked at then sees how long it really has.
    /// - Returns: the slot that it is noted for now.
    mutating func note(_ entry: UInt64, at deadline: Nanoseconds, noted slot: UInt64) -> UInt64 {
        if slot != 0, slot <= DeadlineWheel.slot(of: deadline) { return slot }
        return wheel.schedule(entry, at: deadline)
    }

    /// Whether the timer must be set to `moment`: it would ring later, or not at all. It counts as set afterwards.
    mutating func mustArm(_ moment: Nanoseconds) -> Bool {
        guard moment < armed else { return false }
        armed = moment
        return true
    }

    /// The timer rang: all notes whose slots have passed, each with the slot that it was noted for.
    mutating func takeDue(now: Nanoseconds) -> [(entry: UInt64, slot: UInt64)] {
        armed = .max
        return wheel.expire(now: now)
    }

    /// When the first of the notes is due; nil when there is none.
    var next: Nanoseconds? { wheel.next }

    /// When a slot is over.
    static func end(ofSlot slot: UInt64) -> Nanoseconds { slot &* DeadlineWheel.slotWidth }
}
