/// Where the kernel counts processes that it ended for want of memory (cgroups(7), proc(5)).
public struct OutOfMemory: Sendable {
    /// The file that counts for this process's control group; nil where there is none.
    public let groupFile: String?
    public static let machineFile = "/proc/vmstat"

    /// Finds the files of this process.
    public init() {
        let groups = SystemFile.text("/proc/self/cgroup") ?? ""
        groupFile = Self.candidates(groups).first { Self.count(in: $0) != nil }
    }

    /// How many the group has lost; nil where nobody counts.
    public var groupCount: UInt64? { groupFile.flatMap(Self.count(in:)) }
    /// How many the machine has lost; nil where nobody counts.
    public var machineCount: UInt64? { Self.count(in: Self.machineFile) }

    /// Where the count of a process may be that is in these groups. In a container the path is often that outside, and
    /// what is mounted is the group itself.
    static func candidates(_ groups: String) -> [String] {
        var files: [String] = []
        for line in groups.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let path = parts[2] == "/" ? "" : String(parts[2])
            if parts[1].isEmpty {
                files += ["/sys/fs/cgroup\(path)/memory.events", "/sys/fs/cgroup/memory.events"]
            } else if parts[1].split(separator: ",").contains("memory") {
                files += [
                    "/sys/fs/cgroup/memory\(path)/memory.oom_control", "/sys/fs/cgroup/memory/memory.oom_control",
                ]
            }
        }
        return files
    }

    /// The line `oom_kill N`, which all these files have.
    static func count(of text: String) -> UInt64? {
        for line in text.split(separator: "\n") where line.hasPrefix("oom_kill ") {
            return UInt64(line.dropFirst("oom_kill ".count))
        }
        return nil
    }

    private static func count(in path: String) -> UInt64? { SystemFile.text(path).flatMap(count(of:)) }
}
