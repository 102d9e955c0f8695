internal import Platform
internal import Synchronization

/// The memory that the threads of a worker share.
struct AtomicBatonMemory: BatonMemory, ~Copyable {
    private let word = Atomic<UInt64>(BatonWord.initial.bits)
    private let offered = Atomic<UInt32>(1)
    private let waitingRunners = Atomic<UInt32>(0)
    private let pilotKeeps = Atomic<Bool>(false)
    private let pilotParked = Atomic<UInt32>(0)
    private let interrupt: @Sendable () -> Void

    init(interruptPilot: @escaping @Sendable () -> Void) {
        interrupt = interruptPilot
    }

    func loadOwnWord() -> BatonWord { BatonWord(bits: word.load(ordering: .relaxed)) }
    func loadWord() -> BatonWord { BatonWord(bits: word.load(ordering: .sequentiallyConsistent)) }
    func storeWord(_ word: BatonWord) { self.word.store(word.bits, ordering: .sequentiallyConsistent) }
    func replaceWord(_ expected: BatonWord, by desired: BatonWord) -> Bool {
        word.compareExchange(expected: expected.bits, desired: desired.bits, ordering: .acquiringAndReleasing).exchanged
    }

    func storeOffer() { offered.store(1, ordering: .sequentiallyConsistent) }
    func loadOffer() -> Bool { offered.load(ordering: .sequentiallyConsistent) == 1 }
    func claimOffer() -> Bool {
        offered.compareExchange(expected: 1, desired: 0, ordering: .sequentiallyConsistent).exchanged
    }
    func waitForOffer(timeout: Nanoseconds) { Futex.wait(offered, while: 0, timeout: timeout) }
    func wakeRunners(count: Int32) { Futex.wake(offered, count: count) }

    func addWaitingRunner() { waitingRunners.add(1, ordering: .sequentiallyConsistent) }
    func removeWaitingRunner() { waitingRunners.subtract(1, ordering: .sequentiallyConsistent) }
    func hasWaitingRunners() -> Bool { waitingRunners.load(ordering: .sequentiallyConsistent) > 0 }

    func storePilotKeeps(_ keeps: Bool) { pilotKeeps.store(keeps, ordering: .sequentiallyConsistent) }
    func loadPilotKeeps() -> Bool { pilotKeeps.load(ordering: .sequentiallyConsistent) }
    func interruptPilot() { interrupt() }

    func storePilotParked(_ parked: Bool) { pilotParked.store(parked ? 1 : 0, ordering: .sequentiallyConsistent) }
    func loadPilotParked() -> Bool { pilotParked.load(ordering: .sequentiallyConsistent) == 1 }
    func waitWhileParked(timeout: Nanoseconds) { Futex.wait(pilotParked, while: 1, timeout: timeout) }
    func waitWhileNotParked(timeout: Nanoseconds) { Futex.wait(pilotParked, while: 0, timeout: timeout) }
    func wakeSleepingPilot() { Futex.wake(pilotParked) }
}
