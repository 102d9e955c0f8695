/// What the kernel counts of processes that it ended for want of memory. Nil where it does not tell.
public struct MemoryKills: Equatable, Sendable {
    /// In the control group of the server, and those below it.
    public var group: UInt64?
    /// On the whole machine.
    public var machine: UInt64?

    public init(group: UInt64? = nil, machine: UInt64? = nil) {
        self.group = group
        self.machine = machine
    }
}

/// Whether a worker that was sent SIGKILL, and not by the master, may have been ended for want of memory.
public struct KillPolicy: Sendable {
    public enum Verdict: Equatable, Sendable {
        /// The group's count has grown to this.
        case group(UInt64)
        /// That of the machine has, and nobody counts for the group.
        case machine(UInt64)
        /// Nothing has grown: it was somebody's doing.
        case somebody
        /// Nobody counts.
        case unknown
    }

    private var last: MemoryKills
    /// How many of those that were counted are no worker's yet.
    private var unclaimed: UInt64 = 0

    public init(_ kills: MemoryKills) {
        last = kills
    }

    /// Judges one worker. Each kill that was counted speaks for one of them.
    public mutating func verdict(_ kills: MemoryKills) -> Verdict {
        defer { last = kills }
        if let count = kills.group {
            return take(count, since: last.group) ? .group(count) : .somebody
        }
        guard let count = kills.machine else { return .unknown }
        return take(count, since: last.machine) ? .machine(count) : .somebody
    }

    private mutating func take(_ count: UInt64, since former: UInt64?) -> Bool {
        unclaimed += count.subtractingOrZero(former ?? count)
        guard unclaimed > 0 else { return false }
        unclaimed -= 1
        return true
    }
}
