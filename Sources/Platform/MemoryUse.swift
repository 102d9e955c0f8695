internal import Glibc

/// How much memory this process has, by proc(5). Nil where the system does not tell.
public enum MemoryUse {
    /// Bytes that are resident, those included that other processes share. Cheap: two numbers that the kernel keeps.
    public static func resident() -> Int? {
        SystemFile.text("/proc/self/statm").flatMap { resident(statm: $0, pageSize: sysconf(Int32(_SC_PAGESIZE))) }
    }

    /// Bytes that are this process's share: of what several share, each has its part. The kernel walks all pages for
    /// it, which takes a millisecond for each some hundred MiB.
    public static func proportional() -> Int? {
        SystemFile.text("/proc/self/smaps_rollup").flatMap(proportional(rollup:))
    }

    static func resident(statm: String, pageSize: Int) -> Int? {
        let words = statm.split(separator: " ")
        guard words.count > 1, let pages = Int(words[1]) else { return nil }
        let (bytes, overflow) = pages.multipliedReportingOverflow(by: pageSize)
        return overflow ? nil : bytes
    }

    static func proportional(rollup: String) -> Int? {
        for line in rollup.split(separator: "\n") where line.hasPrefix("Pss:") {
            let words = line.split(separator: " ")
            guard words.count > 1, let kilobytes = Int(words[1]), kilobytes < Int.max >> 10 else { return nil }
            return kilobytes << 10
        }
        return nil
    }
}
