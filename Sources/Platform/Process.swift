internal import CSystem
internal import Glibc

/// A process id, as `fork(2)` returns it.
public typealias ProcessID = Int32

/// In which of the two processes `fork` returned.
public enum ForkResult: Equatable, Sendable {
    case parent(child: ProcessID)
    case child
}

/// How a child ended, as `wait(2)` tells it.
public enum ExitStatus: Equatable, Sendable {
    /// It called `exit`, or returned from `main`, with this status (0 to 255).
    case exited(code: Int32)
    /// A signal ended it.
    case signaled(Signal, coreDumped: Bool)

    /// Reads the word that `waitpid(2)` fills, when the child has ended.
    init(waitStatus status: Int32) {
        if csystem_wait_exited(status) != 0 {
            self = .exited(code: csystem_wait_exit_code(status))
        } else {
            self = .signaled(
                Signal(rawValue: csystem_wait_signal(status)), coreDumped: csystem_wait_core_dumped(status) != 0)
        }
    }
}

/// The calling process and its children.
public enum Process {
    /// A variable of the process's environment, `getenv(3)`; nil when it is not set.
    public static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// `getpid(2)`.
    public static var id: ProcessID { getpid() }

    /// `getppid(2)`: changes when the parent ends, and that is how a child can tell.
    public static var parentID: ProcessID { getppid() }

    /// `fork(2)`. The caller must be the only thread of the process.
    ///
    /// - Throws: `SystemError` when there is no memory or no process id left.
    public static func fork() throws(SystemError) -> ForkResult {
        let pid = try systemCall("fork") { csystem_fork() }
        return pid == 0 ? .child : .parent(child: pid)
    }

    /// Collects one child if it has ended; nil while it lives (`waitpid(2)`, `WNOHANG`).
    ///
    /// - Throws: `SystemError`; `noChild` when it is not a child, or somebody else has collected it.
    public static func reap(_ pid: ProcessID) throws(SystemError) -> ExitStatus? {
        var status: Int32 = 0
        let reaped = try systemCall("waitpid") { waitpid(pid, &status, WNOHANG) }
        return reaped == 0 ? nil : ExitStatus(waitStatus: status)
    }

    /// Waits for the end of a child and collects it (`waitpid(2)`).
    ///
    /// - Throws: as `reap`.
    public static func wait(for pid: ProcessID) throws(SystemError) -> ExitStatus {
        var status: Int32 = 0
        _ = try systemCall("waitpid") { waitpid(pid, &status, 0) }
        return ExitStatus(waitStatus: status)
    }

    /// Collects any child that has ended; nil when none has. Only for process 1, which inherits every orphan: elsewhere
    /// it would take their children from those who wait for them.
    public static func reapAny() -> (pid: ProcessID, status: ExitStatus)? {
        var status: Int32 = 0
        guard let pid = try? systemCall("waitpid", { waitpid(-1, &status, WNOHANG) }), pid != 0 else { return nil }
        return (pid, ExitStatus(waitStatus: status))
    }

    /// `kill(2)`. A process that has ended but was not reaped yet takes the signal without effect.
    ///
    /// - Throws: `SystemError`; `noSuchProcess` when there is none, `notPermitted` when it belongs to another user.
    public static func send(_ signal: Signal, to pid: ProcessID) throws(SystemError) {
        _ = try systemCall("kill") { kill(pid, signal.rawValue) }
    }

    /// Has the kernel send the calling process `signal` when `parent` ends, however it ends (`PR_SET_PDEATHSIG`,
    /// `prctl(2)`).
    ///
    /// The kernel forgets it when the process changes its user or group: then it must be said again. It watches the
    /// parent's *thread* that forked, which in a process of one thread is the same.
    ///
    /// - Returns: false when `parent` is gone already, so that no signal will come.
    /// - Throws: `SystemError` for a signal that does not exist.
    public static func requestSignalOnParentDeath(
        _ signal: Signal, parent: ProcessID
    ) throws(SystemError) -> Bool {
        _ = try systemCall("prctl") { csystem_set_parent_death_signal(signal.rawValue) }
        // The parent may have ended between the fork and the call above.
        return parentID == parent
    }

    /// Whether processes below this one, whose parent has ended, become its children (`PR_SET_CHILD_SUBREAPER`,
    /// `prctl(2)`).
    ///
    /// - Throws: `SystemError` where the kernel does not know it.
    public static func setSubreaper(_ isOne: Bool) throws(SystemError) {
        _ = try systemCall("prctl") { csystem_set_child_subreaper(isOne ? 1 : 0) }
    }

    /// Sleeps, for a moment in which another process has to do something (`usleep(3)`).
    public static func pause(microseconds: UInt32) {
        usleep(microseconds)
    }

    /// Sets the permission bits that new files lack, and returns the former ones (`umask(2)`).
    @discardableResult
    public static func setUmask(_ mask: UInt32) -> UInt32 {
        umask(mode_t(mask & 0o777))
    }

    /// From here on, `isFork` tells this process from those it forks.
    public static func noteForks() { csystem_note_forks() }

    /// Whether this process was forked by the one that called `noteForks`.
    public static var isFork: Bool { csystem_forks() != 0 }

    /// How many forks have begun since `noteForks`, each before there is a child (`pthread_atfork(3)`). Where it is
    /// what it was when a file was made, no other process has that file by inheritance.
    public static var forksBegun: UInt32 { csystem_forks_begun() }

    /// Ends the process without running exit handlers or flushing anything (`_exit(2)`): for a forked child that shares
    /// both with its parent.
    public static func exitImmediately(_ code: Int32) -> Never {
        _exit(code)
    }
}
