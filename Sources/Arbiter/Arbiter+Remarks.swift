internal import Platform
internal import Supervision
internal import Telemetry

/// What the log says of workers that came to grief.
extension Arbiter {
    /// Why a worker was sent SIGKILL, by another than the master.
    func causeOfKill() -> String {
        switch kills.verdict(outOfMemory.kills) {
        case .group(let count):
            "Perhaps out of memory? The kernel has counted one: oom_kill is \(count) in \(outOfMemory.groupFile ?? "")."
        case .machine(let count):
            "Perhaps out of memory? The kernel has counted one on this machine: oom_kill is \(count) in "
                + "\(OutOfMemory.machineFile)."
        case .somebody:
            "Somebody sent it, and not the kernel for want of memory: oom_kill has not grown in "
                + "\(outOfMemory.groupFile ?? OutOfMemory.machineFile)."
        case .unknown: "Perhaps out of memory?"
        }
    }

    /// Of a configuration that has none.
    func warnOfNoWorkers() {
        guard supervisor.wanted == 0 else { return }
        host.log(.warning, "There are 0 workers: nobody answers until the signal TTIN adds one.")
    }

    /// A pause before the next fork that is shorter is not worth a line, in nanoseconds.
    static let shortPause: Nanoseconds = .milliseconds(500)

    /// Says why nobody takes the place of workers that are missing. Once for each pause.
    func remarkOnPause() {
        let now = Clock.now()
        guard let end = supervisor.forksPausedUntil, end > remarkedPause, end > now + Self.shortPause else { return }
        remarkedPause = end
        // Rounded up to tenths.
        let tenths = (end - now + 99_999_999) / 100_000_000
        host.log(
            .warning,
            "The next worker is forked in \(tenths / 10).\(tenths % 10) s: the last ones ended soon, or could not be made."
        )
    }

    /// How many workers are asked where they are in one round: the master has more to do.
    static let mostAsked = 4

    /// A worker says that it hangs. It could not say where.
    func noteHang(_ message: WorkerMessage) {
        let pid = message.pid
        guard supervisor.receive(.workerHangs(pid: pid), at: Clock.now()) != nil else { return }
        let reason = String(decoding: message.payload, as: UTF8.self)
        host.log(.critical, "WORKER TIMEOUT (pid:\(pid)): \(reason)\(requestsUnderWay(in: pid))")
    }

    /// Writes where the threads of a worker are that is about to be killed, as a signal handler in C finds them: one
    /// that could handle signals in Python would have left.
    func sayWhere(_ pid: ProcessID) {
        guard askingBudget > 0, let cell = cells?[pid], let file = means?.stacks(of: cell) else { return }
        askingBudget -= 1
        if Process.isStopped(pid) {
            host.log(.critical, "Worker (pid:\(pid)) is killed. It is stopped (by SIGSTOP, or a debugger).")
        } else if let stacks = file.ask(pid) {
            let text = String(decoding: stacks, as: UTF8.self)
            host.log(.critical, "Worker (pid:\(pid)) is killed. It is here:\n\(text.trimmingNewlines)")
        } else {
            host.log(.critical, "Worker (pid:\(pid)) is killed. It does not say where it is.")
        }
    }

    /// The requests that a worker has in the application, as the scoreboard has them; empty when there are none.
    func requestsUnderWay(in pid: ProcessID) -> String {
        guard let workers = means?.scoreboard.snapshot().workers,
            let exchanges = workers.first(where: { $0.process == pid })?.exchanges.filter({ $0.slot != nil }),
            !exchanges.isEmpty
        else { return "" }
        let now = Clock.now()
        var buffer = TextBuffer()
        for (index, exchange) in exchanges.enumerated() {
            let separator: String = index == 0 ? ". It is at: " : ", "
            buffer.append(separator)
            exchange.describe(in: &buffer, at: now)
        }
        return String(decoding: buffer.bytes, as: UTF8.self)
    }
}

extension String {
    fileprivate var trimmingNewlines: Substring {
        var text = self[...]
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }
}

extension OutOfMemory {
    var kills: MemoryKills { MemoryKills(group: groupCount, machine: machineCount) }
}

extension ExchangeSnapshot {
    /// `GET /path of 203.0.113.9:5000, for 31 s`. What is no printable ASCII is `?`: it goes to a log.
    fileprivate func describe(in buffer: inout TextBuffer, at now: Nanoseconds) {
        buffer.append("\(method)".uppercased() + " ")
        for byte in path { buffer.append(byte > 0x20 && byte < 0x7F ? byte : UInt8(ascii: "?")) }
        if pathByteCount > path.count { buffer.append("…") }
        buffer.append(" of ")
        buffer.append(client)
        buffer.append(", for \((now > began ? now - began : 0) / 1_000_000_000) s")
    }
}
