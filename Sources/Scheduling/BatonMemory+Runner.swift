internal import Platform

/// The hand-over's protocol, a runner's side. What each function is for is said in `BatonHandOver`.
extension BatonMemory where Self: ~Copyable {
    func take(timeout: Nanoseconds) -> Baton? {
        addWaitingRunner()
        if claimOffer() {
            removeWaitingRunner()
            return Baton()
        }
        // The pilot publishes that it keeps the baton before it looks for waiting runners, and this side does it the
        // other way round, so that one of the two sees the other.
        if loadPilotKeeps() { interruptPilot() }
        waitForOffer(timeout: timeout)
        // First no longer waiting, then the claim: an offer that this claim comes too early for was made when this
        // runner no longer counted, so the thread that made it knows that it may be unwanted.
        removeWaitingRunner()
        return claimOffer() ? Baton() : nil
    }

    func offer(_ baton: consuming Baton) {
        layDown(baton)
        // Every other runner is busy, or has left, or gave up its wait: somebody must go on with the I/O.
        if !hasWaitingRunners(), loadPilotParked() { unpark() }
    }

    func offerIfAwaited(_ baton: consuming Baton) -> Baton? {
        guard hasWaitingRunners() else { return baton }
        offer(baton)
        return nil
    }

    func lend(_ baton: consuming Baton, expectsLong: Bool) -> BatonLoan {
        let lent = loadOwnWord().lent(expectsLong: expectsLong)
        // Against `sleepUntilLent`: either this sees the pilot parked, or the pilot sees the loan.
        storeWord(lent)
        // A loan that is expected to be long is retaken at the pilot's next glance, which need not wait for a tick.
        if expectsLong || loadPilotParked() { wakePilot() }
        return BatonLoan(word: lent)
    }

    func recover(_ loan: consuming BatonLoan) -> Baton? {
        replaceWord(loan.word, by: loan.word.recovered) ? Baton() : nil
    }

    func layDown(_ baton: consuming Baton) {
        storeOffer()
        wakeRunners(count: 1)
    }
}
