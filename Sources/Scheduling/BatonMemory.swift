internal import Platform

/// What the threads of a hand-over share, one atomic step at a time.
///
/// The protocol of the hand-over (`BatonMemory+Runner.swift`, `BatonMemory+Pilot.swift`) is written in these steps and
/// nothing else, so that the same code runs in two places: on real atomics (`AtomicBatonMemory`), where the compiler
/// specializes it to the bare instructions, and in a model that tries every order in which the threads' steps can fall
/// (Tests/SchedulingTests/Model). The model runs an operation again and again, a step further each time; so an
/// operation has no loop, and touches nothing but by these steps.
///
/// Each step says what it needs of the memory order. Where none is named it is sequentially consistent: most of the
/// protocol is pairs of threads that each write one cell and then read the other's, so that at least one of them sees
/// the other.
protocol BatonMemory: ~Copyable {
    // MARK: The word: who may go on with the baton

    /// For the holder, who alone changes a word that is not lent: relaxed.
    func loadOwnWord() -> BatonWord
    func loadWord() -> BatonWord
    func storeWord(_ word: BatonWord)
    /// Compare and swap; acquiring and releasing. False when the word was another.
    func replaceWord(_ expected: BatonWord, by desired: BatonWord) -> Bool

    // MARK: The offer: the baton lies ready to be taken; the futex on which runners wait

    func storeOffer()
    func loadOffer() -> Bool
    /// Compare and swap from "on offer" to "not". False when it was not on offer.
    func claimOffer() -> Bool
    /// `futex(2)`: sleeps while nothing is on offer; returns on a wake-up, the timeout, a signal, or for no reason.
    func waitForOffer(timeout: Nanoseconds)
    /// Wakes as many of those who sleep in `waitForOffer`.
    func wakeRunners(count: Int32)

    // MARK: The number of runners that wait for the offer

    func addWaitingRunner()
    func removeWaitingRunner()
    func hasWaitingRunners() -> Bool

    // MARK: Whether the pilot has the baton, and may be asleep in the poller

    func storePilotKeeps(_ keeps: Bool)
    func loadPilotKeeps() -> Bool
    /// Ends the pilot's sleep in the poller, also one that has not begun yet.
    func interruptPilot()

    // MARK: Whether the pilot is parked: the futex it sleeps on

    func storePilotParked(_ parked: Bool)
    func loadPilotParked() -> Bool
    /// `futex(2)`: sleeps while the pilot is parked, for so long at most.
    func waitWhileParked(timeout: Nanoseconds)
    /// `futex(2)`: sleeps while the pilot is not parked, for so long at most.
    func waitWhileNotParked(timeout: Nanoseconds)
    /// Wakes the pilot from either sleep.
    func wakeSleepingPilot()
}
