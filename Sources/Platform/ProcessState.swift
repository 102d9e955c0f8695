/// What the kernel says a process is at (proc_pid_stat(5)).
extension Process {
    /// Whether it is stopped, by SIGSTOP and its like or by a debugger; false also when that cannot be told.
    public static func isStopped(_ process: ProcessID) -> Bool {
        state(of: process).map { $0 == "T" || $0 == "t" } ?? false
    }

    /// Whether it has ended, and only its parent does not know yet; false also when that cannot be told.
    public static func isZombie(_ process: ProcessID) -> Bool { state(of: process) == "Z" }

    private static func state(of process: ProcessID) -> Character? {
        // The name before it, in parentheses, may have parentheses itself.
        guard let text = SystemFile.text("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].first { $0 != " " }
    }
}
