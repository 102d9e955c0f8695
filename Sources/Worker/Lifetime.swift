public import Platform

/// How far a worker is on its way out. A worker goes down this list and never up:
///
/// ```
///   serving ──drain──► draining ─┐
///      │ └─────quit───► quitting ─┼──end──► ended
///      └──breakDown───► broken ───┘
/// ```
///
/// Pure: what happens is an `Event`, and `after` says what it makes of the worker. The threads of a worker share one of
/// these (`SharedLifetime`).
public enum Lifetime: Equatable, Sendable {
    case serving
    /// No new requests; those under way may finish until then. When the server goes on without this worker, it is
    /// replaced, and the worker that replaces it takes the connections that wait in the listeners' backlogs.
    case draining(until: Nanoseconds, replaced: Bool)
    /// The main thread is on its way out with a SystemExit of ours, in the middle of a request perhaps.
    case quitting(until: Nanoseconds)
    /// Nothing can be heard of a client any more, so there is nothing to wait for.
    case broken(until: Nanoseconds, quits: Bool)
    /// Every thread leaves that is not in the application.
    case ended(until: Nanoseconds, quits: Bool)

    /// What happens to a worker. `until` is always when it must be gone, on the monotonic clock. The first such moment
    /// stands: a worker that is told twice has no more time for it. `never` is for a worker that is told before it can
    /// serve.
    public enum Event: Equatable, Sendable {
        /// A signal, the request limit, an overdue request, a lost thread, a lost arbiter.
        case drain(until: Nanoseconds, replaced: Bool)
        /// A signal that does not wait for the requests under way.
        case quit(until: Nanoseconds)
        /// The reactor cannot poll.
        case breakDown(until: Nanoseconds)
        /// The last request is answered, or the time is up.
        case end(until: Nanoseconds)
    }

    /// The deadline of a worker that has none yet.
    public static let never = Nanoseconds.max

    /// What an event makes of it.
    public func after(_ event: Event) -> Lifetime {
        switch (self, event) {
        case (.serving, .drain(let until, let replaced)): .draining(until: until, replaced: replaced)
        case (.serving, .quit(let until)): .quitting(until: until)
        case (.serving, .breakDown(let until)): .broken(until: until, quits: false)
        case (.serving, .end(let until)): .ended(until: until, quits: false)

        case (.draining(let first, let already), .drain(let until, let replaced)):
            .draining(until: min(first, until), replaced: already || replaced)
        case (.draining(let first, _), .quit(let until)): .quitting(until: min(first, until))
        case (.draining(let first, _), .breakDown(let until)): .broken(until: min(first, until), quits: false)
        case (.draining(let first, _), .end(let until)): .ended(until: min(first, until), quits: false)

        case (.quitting(let first), .drain(let until, _)): .quitting(until: min(first, until))
        case (.quitting(let first), .quit(let until)): .quitting(until: min(first, until))
        case (.quitting(let first), .breakDown(let until)): .broken(until: min(first, until), quits: true)
        case (.quitting(let first), .end(let until)): .ended(until: min(first, until), quits: true)

        case (.broken(let first, let quits), .drain(let until, _)): .broken(until: min(first, until), quits: quits)
        case (.broken(let first, _), .quit(let until)): .broken(until: min(first, until), quits: true)
        case (.broken(let first, let quits), .breakDown(let until)): .broken(until: min(first, until), quits: quits)
        case (.broken(let first, let quits), .end(let until)): .ended(until: min(first, until), quits: quits)

        case (.ended(let first, let quits), .drain(let until, _)): .ended(until: min(first, until), quits: quits)
        case (.ended(let first, _), .quit(let until)): .ended(until: min(first, until), quits: true)
        case (.ended(let first, let quits), .breakDown(let until)): .ended(until: min(first, until), quits: quits)
        case (.ended(let first, let quits), .end(let until)): .ended(until: min(first, until), quits: quits)
        }
    }
}

/// What follows from it.
extension Lifetime {
    /// Whether the worker is on its way out: no connection gets another request.
    public var isLeaving: Bool { self != .serving }

    /// Whether a SystemExit is the worker's own, and not the application's.
    public var isQuitting: Bool {
        switch self {
        case .serving, .draining: false
        case .quitting: true
        case .broken(_, let quits), .ended(_, let quits): quits
        }
    }

    /// Whether every thread that is not in the application leaves.
    var hasEnded: Bool {
        if case .ended = self { true } else { false }
    }

    /// Whether a thread that has nothing in its hands ends the worker, whatever is still under way.
    var endsAtOnce: Bool {
        switch self {
        case .serving, .draining: false
        case .quitting, .broken, .ended: true
        }
    }

    /// Whether the last connections in the backlogs are this worker's to serve: nobody takes them in its place.
    var takesBacklog: Bool {
        if case .draining(_, replaced: false) = self { true } else { false }
    }

    /// When the worker must be gone, on the monotonic clock; nil while it serves.
    var deadline: Nanoseconds? {
        switch self {
        case .serving: nil
        case .draining(let until, _), .quitting(let until), .broken(let until, _), .ended(let until, _): until
        }
    }

    /// Whether there is no time left for the requests under way.
    func isOverdue(at now: Nanoseconds) -> Bool {
        switch self {
        case .serving: false
        case .broken: true
        case .draining(let until, _), .quitting(let until), .ended(let until, _): now >= until
        }
    }
}
