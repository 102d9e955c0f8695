internal import Platform

/// A process that has loaded the application of one configuration, and forks workers of it (`--preload`): they share
/// its memory. It serves nobody.
///
/// ```
///  arbiter ──fork──► mold: loads, says that it is ready, waits for orders
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
    /// From the arbiter to the mold.
    let orders: MessageChannel
    /// From a new worker, or a mold that could make none, to the arbiter.
    let answers: MessageChannel
    /// The application is loaded.
    var isReady = false
    /// When it must be; nil for any time.
    let deadline: Nanoseconds?

    /// How long the arbiter waits for a worker that it ordered, in milliseconds. A fork takes a few.
    static let patience: Int32 = 5000

    /// A worker, as the arbiter asks for it.
    struct Order: Equatable {
        let age: Int
        let cell: Int?

        init(age: Int, cell: Int?) {
            self.age = age
            self.cell = cell
        }

        init?(_ bytes: [UInt8]) {
            let words = String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
            guard words.count == 2 else { return nil }
            age = words[0]
            cell = words[1] < 0 ? nil : words[1]
        }

        var bytes: [UInt8] { Array("\(age) \(cell ?? -1)".utf8) }
    }

    /// Orders a worker and waits for it.
    ///
    /// - Returns: its process id; nil when none came.
    func make(_ order: Order) -> ProcessID? {
        // What came too late for the order before.
        while answers.receive() != nil {}
        do throws(SystemError) {
            try Process.setSubreaper(true)
        } catch {
            return nil
        }
        defer { try? Process.setSubreaper(false) }
        guard orders.send(order.bytes), answers.receiving.waitUntilReadable(milliseconds: Self.patience),
            let bytes = answers.receive(), let pid = ProcessID(String(decoding: bytes, as: UTF8.self))
        else { return nil }
        return pid > 0 ? pid : nil
    }

    /// Ends it: it has nothing to finish.
    func end() {
        try? Process.send(.kill, to: pid)
        closeChannels()
    }

    func closeChannels() {
        for descriptor in [orders.receiving, orders.sending, answers.receiving, answers.sending] { descriptor.close() }
    }
}
