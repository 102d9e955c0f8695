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
