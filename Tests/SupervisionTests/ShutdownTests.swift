import Testing

@testable import Supervision

@Suite struct ShutdownTests {
    /// A master with this many workers that have served for an hour.
    private func serving(_ workers: Int, gracefulTimeout: UInt64 = 30 * second) -> FakeMaster {
        var master = FakeMaster.serving(workers, gracefulTimeout: gracefulTimeout)
        master.now += 3600 * second
        return master
    }

    /// A master whose workers have all been forked and not yet said that they serve.
    private func booting(_ workers: Int) -> FakeMaster {
        var master = FakeMaster(workers: workers)
        master.step()
        master.step(after: Supervisor.headStart)
        return master
    }

    private func finish(_ code: Int32, _ reason: HaltReason? = nil, abandoned: [Int32] = []) -> SupervisionAction {
        .finish(exitCode: code, reason: reason, abandoned: abandoned)
    }

    @Test func gracefulStopAsksOnceAndWaitsForAll() {
        var master = serving(2)
        master.supervisor.receive(.stopGracefully, at: master.now)
        #expect(!master.supervisor.isServing)
        #expect(
            master.step() == [
                .closeListeners, .signal(pid: 101, .terminate), .signal(pid: 102, .terminate),
            ])
        #expect(master.wait == 30 * second)
        #expect(master.step(after: second) == [])
        master.exit(101)
        #expect(master.step() == [])
        master.exit(102)
        #expect(master.step() == [finish(0)])
        #expect(master.step() == [])
        #expect(master.wait == nil)
    }

    @Test func gracefulStopKillsWhatIsLeftAtTheTimeoutAndNotBefore() {
        var master = serving(2)
        master.supervisor.receive(.stopGracefully, at: master.now)
        master.step()
        master.exit(102)
        #expect(master.step(after: 30 * second - 1) == [])
        #expect(master.step(after: 1) == [.signal(pid: 101, .kill)])
        #expect(master.wait == Shutdown.killTimeout)
        master.exit(101, .signaled(9))
        #expect(master.step() == [finish(0)])
    }

    @Test func quickStopGivesTwoSeconds() {
        var master = serving(1)
        master.supervisor.receive(.stopQuickly, at: master.now)
        #expect(master.step() == [.closeListeners, .signal(pid: 101, .quit)])
        #expect(master.wait == 2 * second)
        #expect(master.step(after: 2 * second) == [.signal(pid: 101, .kill)])
    }

    @Test func quickStopHastensAGracefulOne() {
        var master = serving(2)
        master.supervisor.receive(.stopGracefully, at: master.now)
        master.step()
        master.exit(101)
        master.now += second
        master.supervisor.receive(.stopQuickly, at: master.now)
        #expect(master.step() == [.signal(pid: 102, .quit)])
        #expect(master.wait == 2 * second)
        // Asking again neither repeats the signal nor starts the two seconds anew.
        master.now += second
        master.supervisor.receive(.stopQuickly, at: master.now)
        #expect(master.step() == [])
        #expect(master.wait == second)
        #expect(master.step(after: second) == [.signal(pid: 102, .kill)])
    }

    @Test func bothRequestsAtOnceAreAQuickStop() {
        var master = serving(1)
        master.supervisor.receive(.stopGracefully, at: master.now)
        master.supervisor.receive(.stopQuickly, at: master.now)
        #expect(master.step() == [.closeListeners, .signal(pid: 101, .quit)])
    }

    @Test func hasteNeverLengthensTheWait() {
        var master = serving(1, gracefulTimeout: 3 * second)
        master.supervisor.receive(.stopGracefully, at: master.now)
        master.step()
        master.step(after: 2500 * millisecond)
        master.supervisor.receive(.stopQuickly, at: master.now)
        #expect(master.wait == 500 * millisecond)
        var brief = serving(1, gracefulTimeout: second)
        brief.supervisor.receive(.stopQuickly, at: brief.now)
        brief.step()
        #expect(brief.wait == second)
    }

    @Test func aGracefulRequestDoesNotSlowAQuickStop() {
        var master = serving(1)
        master.supervisor.receive(.stopQuickly, at: master.now)
        master.step()
        master.supervisor.receive(.stopGracefully, at: master.now)
        #expect(master.step() == [])
        #expect(master.wait == 2 * second)
    }

    @Test func nothingIsReplacedDuringAStop() {
        var master = serving(3)
        master.supervisor.receive(.stopGracefully, at: master.now)
        master.step()
        for pid in master.pids.dropLast() {
            master.exit(pid, .segmentationFault)
            #expect(master.step() == [])
        }
        #expect(master.pids == [103])
    }

    @Test func withoutAWorkerTheStopIsImmediate() {
        var idle = serving(0)
        #expect(idle.wait == nil)
        idle.supervisor.receive(.stopGracefully, at: idle.now)
        #expect(idle.step() == [.closeListeners, finish(0)])
        // Between a death and its replacement as well.
        var bereft = serving(1)
        bereft.exit(101, .segmentationFault)
        bereft.supervisor.receive(.stopQuickly, at: bereft.now)
        #expect(bereft.step() == [.closeListeners, finish(0)])
    }

    @Test func aTimeoutOfZeroAsksAndKillsInOneBreath() {
        var master = serving(1, gracefulTimeout: 0)
        master.supervisor.receive(.stopGracefully, at: master.now)
        #expect(master.step() == [.closeListeners, .signal(pid: 101, .terminate), .signal(pid: 101, .kill)])
    }

    @Test func aTimeoutBeyondTheClockNeverEnds() {
        var master = serving(1, gracefulTimeout: .max)
        master.supervisor.receive(.stopGracefully, at: master.now)
        master.step()
        #expect(master.supervisor.deadline == .max)
        #expect(master.step(after: 1_000_000 * second) == [])
    }

    @Test func aWorkerThatEvenKillDoesNotEndIsAbandoned() {
        var master = serving(2)
        master.supervisor.receive(.stopQuickly, at: master.now)
        master.step()
        master.step(after: 2 * second)
        master.exit(102, .signaled(9))
        #expect(master.step(after: Shutdown.killTimeout - 1) == [])
        #expect(master.step(after: 1) == [finish(0, abandoned: [101])])
        #expect(master.step(after: second) == [])
    }

    @Test(arguments: [HaltReason.workerFailedToBoot, .applicationFailedToLoad])
    func aWorkerThatCannotBootStopsTheServerWithItsCode(_ reason: HaltReason) {
        var master = booting(3)
        master.exit(102, .exited(code: reason.exitCode))
        #expect(
            master.step() == [
                .closeListeners, .signal(pid: 101, .terminate), .signal(pid: 103, .terminate),
            ])
        master.exit(101)
        master.exit(103)
        #expect(master.step() == [finish(reason.exitCode, reason)])
    }

    @Test func severalThatFailTogetherStillGiveTheFirstCode() {
        // All reaped at once, before the policy is asked again.
        var master = booting(4)
        for pid in master.pids { master.exit(pid, .exited(code: pid == 101 ? 3 : 4)) }
        #expect(master.step() == [.closeListeners, finish(3, .workerFailedToBoot)])
        // One after the other, the later ones in the middle of the stop.
        var slow = booting(4)
        slow.exit(102, .exited(code: 4))
        slow.step()
        for pid in slow.pids {
            slow.exit(pid, .exited(code: 3))
            let actions = slow.step(after: millisecond)
            #expect(actions == (slow.pids.isEmpty ? [finish(4, .applicationFailedToLoad)] : []))
        }
    }

    @Test func aRequestToStopKeepsTheCodeOfAFailure() {
        var master = booting(2)
        master.exit(101, .exited(code: 3))
        master.step()
        master.supervisor.receive(.stopQuickly, at: master.now)
        #expect(master.step() == [.signal(pid: 102, .quit)])
        master.exit(102)
        #expect(master.step() == [finish(3, .workerFailedToBoot)])
    }

    @Test func aWorkerThatFailsToBootDuringARequestedStopDoesNotSpoilIt() {
        var master = booting(1)
        master.supervisor.receive(.stopGracefully, at: master.now)
        master.step()
        master.exit(101, .exited(code: 3))
        #expect(master.step() == [finish(0)])
    }

    @Test func aFailureOfTheMasterStopsTheWorkersToo() {
        var master = serving(1)
        master.supervisor.receive(.fail(exitCode: 255), at: master.now)
        #expect(master.step() == [.closeListeners, .signal(pid: 101, .terminate)])
        master.exit(101)
        #expect(master.step() == [finish(255)])
    }
}
