import Platform
import Testing

@Suite struct LifetimeTests {
    /// Every state and every event, and what comes of them. Deadlines are told apart by their number: a state has 100,
    /// an event 50, 100 or 200.
    struct Transition: CustomTestStringConvertible, Sendable {
        let from: Lifetime
        let event: Lifetime.Event
        let to: Lifetime
        var testDescription: String { "\(from) after \(event)" }
    }

    static let transitions: [Transition] = [
        // A worker that serves may be told anything, and has the time that it is given.
        Transition(
            from: .serving, event: .drain(until: 200, replaced: false), to: .draining(until: 200, replaced: false)),
        Transition(
            from: .serving, event: .drain(until: 200, replaced: true), to: .draining(until: 200, replaced: true)),
        Transition(from: .serving, event: .quit(until: 200), to: .quitting(until: 200)),
        Transition(from: .serving, event: .breakDown(until: 200), to: .broken(until: 200, quits: false)),
        Transition(from: .serving, event: .end(until: 200), to: .ended(until: 200, quits: false)),

        // One that is told again keeps its time, and stays replaced.
        Transition(
            from: .draining(until: 100, replaced: false), event: .drain(until: 200, replaced: false),
            to: .draining(until: 100, replaced: false)),
        Transition(
            from: .draining(until: 100, replaced: false), event: .drain(until: 200, replaced: true),
            to: .draining(until: 100, replaced: true)),
        Transition(
            from: .draining(until: 100, replaced: true), event: .drain(until: 200, replaced: false),
            to: .draining(until: 100, replaced: true)),
        Transition(
            from: .draining(until: 100, replaced: true), event: .drain(until: 200, replaced: true),
            to: .draining(until: 100, replaced: true)),
        Transition(
            from: .draining(until: 100, replaced: false), event: .quit(until: 200), to: .quitting(until: 100)),
        Transition(from: .draining(until: 100, replaced: true), event: .quit(until: 200), to: .quitting(until: 100)),
        Transition(
            from: .draining(until: 100, replaced: false), event: .breakDown(until: 200),
            to: .broken(until: 100, quits: false)),
        Transition(
            from: .draining(until: 100, replaced: true), event: .breakDown(until: 200),
            to: .broken(until: 100, quits: false)),
        Transition(
            from: .draining(until: 100, replaced: false), event: .end(until: 200),
            to: .ended(until: 100, quits: false)),
        Transition(
            from: .draining(until: 100, replaced: true), event: .end(until: 200), to: .ended(until: 100, quits: false)),

        // One that quits never becomes patient again, and its SystemExit stays its own to the end.
        Transition(from: .quitting(until: 100), event: .drain(until: 200, replaced: false), to: .quitting(until: 100)),
        Transition(from: .quitting(until: 100), event: .drain(until: 200, replaced: true), to: .quitting(until: 100)),
        Transition(from: .quitting(until: 100), event: .quit(until: 200), to: .quitting(until: 100)),
        Transition(from: .quitting(until: 100), event: .breakDown(until: 200), to: .broken(until: 100, quits: true)),
        Transition(from: .quitting(until: 100), event: .end(until: 200), to: .ended(until: 100, quits: true)),

        // A reactor that broke is not repaired.
        Transition(
            from: .broken(until: 100, quits: false), event: .drain(until: 200, replaced: false),
            to: .broken(until: 100, quits: false)),
        Transition(
            from: .broken(until: 100, quits: false), event: .drain(until: 200, replaced: true),
            to: .broken(until: 100, quits: false)),
        Transition(
            from: .broken(until: 100, quits: false), event: .quit(until: 200), to: .broken(until: 100, quits: true)),
        Transition(
            from: .broken(until: 100, quits: false), event: .breakDown(until: 200),
            to: .broken(until: 100, quits: false)),
        Transition(
            from: .broken(until: 100, quits: false), event: .end(until: 200), to: .ended(until: 100, quits: false)),
        Transition(
            from: .broken(until: 100, quits: true), event: .drain(until: 200, replaced: false),
            to: .broken(until: 100, quits: true)),
        Transition(
            from: .broken(until: 100, quits: true), event: .drain(until: 200, replaced: true),
            to: .broken(until: 100, quits: true)),
        Transition(
            from: .broken(until: 100, quits: true), event: .quit(until: 200), to: .broken(until: 100, quits: true)),
        Transition(
            from: .broken(until: 100, quits: true), event: .breakDown(until: 200),
            to: .broken(until: 100, quits: true)),
        Transition(
            from: .broken(until: 100, quits: true), event: .end(until: 200), to: .ended(until: 100, quits: true)),

        // The end is the end; but a SystemExit may still come of it.
        Transition(
            from: .ended(until: 100, quits: false), event: .drain(until: 200, replaced: false),
            to: .ended(until: 100, quits: false)),
        Transition(
            from: .ended(until: 100, quits: false), event: .drain(until: 200, replaced: true),
            to: .ended(until: 100, quits: false)),
        Transition(
            from: .ended(until: 100, quits: false), event: .quit(until: 200), to: .ended(until: 100, quits: true)),
        Transition(
            from: .ended(until: 100, quits: false), event: .breakDown(until: 200),
            to: .ended(until: 100, quits: false)),
        Transition(
            from: .ended(until: 100, quits: false), event: .end(until: 200), to: .ended(until: 100, quits: false)),
        Transition(
            from: .ended(until: 100, quits: true), event: .drain(until: 200, replaced: false),
            to: .ended(until: 100, quits: true)),
        Transition(
            from: .ended(until: 100, quits: true), event: .drain(until: 200, replaced: true),
            to: .ended(until: 100, quits: true)),
        Transition(
            from: .ended(until: 100, quits: true), event: .quit(until: 200), to: .ended(until: 100, quits: true)),
        Transition(
            from: .ended(until: 100, quits: true), event: .breakDown(until: 200), to: .ended(until: 100, quits: true)),
        Transition(from: .ended(until: 100, quits: true), event: .end(until: 200), to: .ended(until: 100, quits: true)),
    ]

    private static let states: [Lifetime] = [
        .serving, .draining(until: 100, replaced: false), .draining(until: 100, replaced: true), .quitting(until: 100),
        .broken(until: 100, quits: false), .broken(until: 100, quits: true), .ended(until: 100, quits: false),
        .ended(until: 100, quits: true),
    ]

    private static func events(until: Nanoseconds) -> [Lifetime.Event] {
        [
            .drain(until: until, replaced: false), .drain(until: until, replaced: true), .quit(until: until),
            .breakDown(until: until), .end(until: until),
        ]
    }

    @Test(arguments: transitions) func goesOn(_ transition: Transition) {
        #expect(transition.from.after(transition.event) == transition.to)
    }

    @Test func everyTransitionIsListed() {
        for state in Self.states {
            for event in Self.events(until: 200) {
                let count = Self.transitions.count { $0.from == state && $0.event == event }
                #expect(count == 1, "\(state) after \(event)")
            }
        }
        #expect(Self.transitions.count == Self.states.count * Self.events(until: 200).count)
    }

    /// A worker that was told before it could serve has no deadline yet.
    @Test func theEarlierDeadlineStands() {
        for state in Self.states.dropFirst() {
            for event in Self.events(until: 50) { #expect(state.after(event).deadline == 50) }
        }
        let early = Lifetime.serving.after(.drain(until: Lifetime.never, replaced: false))
        #expect(!early.isOverdue(at: .max - 1))
        #expect(early.after(.drain(until: 100, replaced: false)) == .draining(until: 100, replaced: false))
        let quitting = Lifetime.serving.after(.quit(until: Lifetime.never))
        #expect(quitting.after(.drain(until: 100, replaced: false)) == .quitting(until: 100))
    }

    // MARK: What follows from it

    @Test func connectionsAreKeptOnlyWhileItServes() {
        for state in Self.states { #expect(state.isLeaving == (state != .serving)) }
    }

    @Test func aSystemExitIsOursOnceItQuits() {
        let ours = Self.states.filter(\.isQuitting)
        #expect(ours == [.quitting(until: 100), .broken(until: 100, quits: true), .ended(until: 100, quits: true)])
    }

    @Test func onlyADrainingWorkerWaitsForRequests() {
        let patient = Self.states.filter { !$0.endsAtOnce }
        #expect(
            patient == [.serving, .draining(until: 100, replaced: false), .draining(until: 100, replaced: true)])
    }

    @Test func theLastOfTheBacklogIsServedWhereNobodyFollows() {
        #expect(Self.states.filter(\.takesBacklog) == [.draining(until: 100, replaced: false)])
    }

    @Test func itIsOverWhenItEnded() {
        #expect(
            Self.states.filter(\.hasEnded) == [.ended(until: 100, quits: false), .ended(until: 100, quits: true)])
    }

    @Test func timeIsUpAtTheDeadline() {
        #expect(Lifetime.serving.deadline == nil)
        #expect(!Lifetime.serving.isOverdue(at: .max))
        for state in Self.states.dropFirst() {
            #expect(state.deadline == 100)
            #expect(state.isOverdue(at: 100))
        }
        // And at once where nobody can be heard any more.
        let early = Self.states.filter { $0.isOverdue(at: 99) }
        #expect(early == [.broken(until: 100, quits: false), .broken(until: 100, quits: true)])
    }

    // MARK: In one word

    @Test func aWordHoldsAllOfIt() {
        let moments: [Nanoseconds] = [0, 16, 4096, .seconds(1_000_000_000), Lifetime.never]
        for moment in moments {
            for event in Self.events(until: moment) {
                for state in Self.states.map({ $0.after(event) }) + [Lifetime.serving.after(event)] {
                    #expect(Lifetime(word: state.word).deadline == state.deadline.map { $0 == 100 ? 96 : $0 })
                    #expect(Lifetime(word: Lifetime(word: state.word).word) == Lifetime(word: state.word))
                }
                let state = Lifetime.serving.after(event)
                #expect(Lifetime(word: state.word) == state)
            }
        }
        #expect(Lifetime(word: Lifetime.serving.word) == .serving)
        #expect(Lifetime(word: Lifetime.ended(until: 16, quits: true).word) == .ended(until: 16, quits: true))
        #expect(Lifetime(word: Lifetime.broken(until: 16, quits: true).word) == .broken(until: 16, quits: true))
    }
}
