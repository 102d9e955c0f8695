internal import Platform

/// The hand-over's protocol, the pilot's side. What each function is for is said in `BatonHandOver`.
extension BatonMemory where Self: ~Copyable {
    func observe() -> BatonObservation? {
        let seen = loadWord()
        return seen.isLent ? BatonObservation(word: seen) : nil
    }

    func retake(_ observation: BatonObservation) -> Baton? {
        replaceWord(observation.word, by: observation.word.retaken) ? Baton() : nil
    }

    func offerToWaitingRunner(_ baton: consuming Baton) -> Baton? {
        storePilotKeeps(true)
        guard hasWaitingRunners() else { return baton }
        storePilotKeeps(false)
        // Should the last one that waits give up now, the pilot finds the offer before it parks.
        layDown(baton)
        return nil
    }

    func claimUnwantedOffer() -> Baton? {
        guard hasUnwantedOffer() else { return nil }
        return claimOffer() ? Baton() : nil
    }

    private func hasUnwantedOffer() -> Bool {
        guard loadOffer() else { return false }
        return !hasWaitingRunners()
    }

    func sleep(_ tick: Nanoseconds) {
        waitWhileNotParked(timeout: tick)
    }

    func sleepUntilLent(timeout: Nanoseconds) {
        storePilotParked(true)
        if !loadWord().isLent, !hasUnwantedOffer() { waitWhileParked(timeout: timeout) }
        storePilotParked(false)
    }

    func wakePilot() {
        unpark()
        if loadPilotKeeps() { interruptPilot() }
    }

    func unpark() {
        storePilotParked(false)
        wakeSleepingPilot()
    }
}
