internal import Platform

/// A process from which workers of one configuration are forked: they share its memory. It serves nobody. It has loaded
/// the application for that purpose (`--preload`), or it was a worker and is warm (`--refork-after`).
///
/// ```
///  arbiter ──fork──► mold: loads, says that it is ready, waits for orders   ◄── or a worker that has finished
///     ▲ order: age, cell   │ fork
///     │                    ▼
///     │              in between: forks once more and ends
///     │                    │ fork
///     │ process id         ▼
///     └──────────────── worker, whose parent is the arbiter, since that is a subreaper at the moment
/// ```
///
/// The arbiter itself never loads the application. So a reload with `--preload` really reloads: each configuration has
/// a mold of its own, made from a process in which nothing of the code was ever imported.
struct Mold {
    let pid: ProcessID
    /// Workers can be forked from it.
    var isReady = false
    /// When it must be ready; nil for any time.
    let deadline: Nanoseconds?

    /// How long the arbiter waits for a worker that it ordered, in nanoseconds, beside the time in the hook `pre_fork`,
    /// as it waits for that where it calls it itself. A fork takes a few milliseconds.
    static let patience = Nanoseconds.seconds(5)

    /// A worker, as the arbiter asks for it.
    struct Order: Equatable {
        let age: Int
        let cell: Int?
    }

    /// Orders a worker and waits for it. A mold that says nothing is ended: another one can be had.
    ///
    /// - Returns: its process id; nil when none came.
    func make(_ order: Order, at desk: MoldDesk) -> ProcessID? {
        do throws(SystemError) {
            try Process.setSubreaper(true)
        } catch {
            return nil
        }
        defer { try? Process.setSubreaper(false) }
        let answer = desk.order(order, from: pid, patience: Self.patience) { pid in
            !Process.isStopped(pid) && !Process.isZombie(pid)
        }
        switch answer {
        case .worker(let worker): return worker
        case .none: return nil
        case .silence:
            end()
            return nil
        }
    }

    /// Ends it: it has nothing to finish.
    func end() { try? Process.send(.kill, to: pid) }
}
