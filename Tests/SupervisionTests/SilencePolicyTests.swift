import Testing

@testable import Supervision

@Suite struct SilencePolicyTests {
    private static let second: UInt64 = 1_000_000_000

    private func sign(_ pid: Int32, _ heartbeat: UInt64, timeout: UInt64 = 5) -> SilencePolicy.Sign {
        SilencePolicy.Sign(pid: pid, heartbeat: heartbeat, timeout: timeout * Self.second)
    }

    @Test func whoeverGivesSignsIsLeftAlone() {
        var policy = SilencePolicy()
        for tick in 0..<100 as Range<UInt64> {
            #expect(policy.look(at: tick * Self.second, [sign(1, tick)]).isEmpty)
        }
    }

    @Test func whoeverIsSilentForTooLongIsNamed() {
        var policy = SilencePolicy()
        for tick in 0...5 as ClosedRange<UInt64> {
            #expect(policy.look(at: tick * Self.second, [sign(1, 7), sign(2, tick)]).isEmpty)
        }
        #expect(policy.look(at: 6 * Self.second, [sign(1, 7), sign(2, 6)]) == [1])
        // And named again, until it is gone.
        #expect(policy.look(at: 7 * Self.second, [sign(1, 7), sign(2, 7)]) == [1])
        policy.forget(1)
        #expect(policy.look(at: 8 * Self.second, [sign(1, 7), sign(2, 8)]).isEmpty)
    }

    @Test func oneSignIsEnough() {
        var policy = SilencePolicy()
        for tick in 0...5 as ClosedRange<UInt64> { _ = policy.look(at: tick * Self.second, [sign(1, 7)]) }
        for tick in 6...10 as ClosedRange<UInt64> {
            #expect(policy.look(at: tick * Self.second, [sign(1, 8)]).isEmpty)
        }
        #expect(policy.look(at: 11 * Self.second, [sign(1, 8)]).isEmpty)
        #expect(policy.look(at: 12 * Self.second, [sign(1, 8)]) == [1])
    }

    /// A machine that slept, a container that was frozen.
    @Test func timeInWhichNobodyLookedIsNobodysFault() {
        var policy = SilencePolicy()
        #expect(policy.look(at: 0, [sign(1, 7)]).isEmpty)
        for tick in 1...5 as ClosedRange<UInt64> { #expect(policy.look(at: tick * Self.second, [sign(1, 7)]).isEmpty) }
        #expect(policy.look(at: 1000 * Self.second, [sign(1, 7)]).isEmpty)
        #expect(policy.look(at: 1001 * Self.second, [sign(1, 8)]).isEmpty)
    }

    /// Signs come once a second, so that a shorter silence says nothing.
    @Test func aShortTimeoutIsNotTakenAtItsWord() {
        var policy = SilencePolicy()
        for tick in 0...3 as ClosedRange<UInt64> {
            #expect(policy.look(at: tick * Self.second, [sign(1, 7, timeout: 1)]).isEmpty)
        }
        #expect(policy.look(at: 4 * Self.second, [sign(1, 7, timeout: 1)]) == [1])
    }
}
