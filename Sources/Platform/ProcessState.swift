/// What the kernel says a process is at (proc_pid_stat(5)).
extension Process {
    /// Whether it is stopped, by SIGSTOP and its like or by a debugger; false also when that cannot be told.
    public static func isStopped(_ process: ProcessID) -> Bool {
        // The name before it, in parentheses, may have parentheses itself.
        guard let text = SystemFile.text("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else {
            return false
        }
        let state = text[text.index(after: end)...].drop { $0 == " " }.first
        return state == "T" || state == "t"
    }
}
