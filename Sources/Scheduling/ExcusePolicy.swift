public import Platform

/// Tells an application that takes long from one whose thread does not get the CPU.
///
/// Where others use the CPU too, a thread may wait for it for longer than a tick in the middle of the shortest
/// application. Giving its baton to another runner does not help: that one waits for the same CPU, and then for
/// Python's lock, which the first still has. So the pilot leaves a loan alone whose runner is ready to run and has had
/// less than a tick of the CPU since the loan was first seen. An application that sleeps is not ready to run, and one
/// that computes uses its tick up.
///
/// Only so often: on a machine with an idle CPU, and for whatever the kernel's figures do not tell, it is better to go
/// on.
public struct ExcusePolicy: Sendable {
    /// How often one loan is excused at most.
    public static let most = 20

    private var cpuTimeAtFirst: Nanoseconds?
    private var count = 0

    public init() {}

    /// A loan is seen for the first time.
    ///
    /// - Parameter cpuTime: nanoseconds that its runner's thread has had the CPU for; nil when that is not known.
    public mutating func begin(cpuTime: Nanoseconds?) {
        cpuTimeAtFirst = cpuTime
        count = 0
    }

    /// Whether a loan that was seen before is left alone until the next glance.
    ///
    /// - Parameters:
    ///   - cpuTime: as at the first glance.
    ///   - isRunnable: whether the thread is ready to run. Asked for only where it matters.
    public mutating func excuses(
        cpuTime: Nanoseconds?, tick: Nanoseconds, isRunnable: @autoclosure () -> Bool
    ) -> Bool {
        guard let cpuTime, let first = cpuTimeAtFirst, count < Self.most else { return false }
        // A little less than a tick: the clock may lag behind for a thread that runs at this moment.
        guard cpuTime &- min(first, cpuTime) < tick - tick / 8, isRunnable() else { return false }
        count += 1
        return true
    }
}
