public import Platform

/// The levels of the error log, as Python's `logging` names them.
public enum LogLevel: Sendable {
    case debug, info, warning, error, critical
}

/// What the master asks of whoever hosts it: a process with a Python interpreter in it, of which it knows nothing.
///
/// All are called on the master's only thread, except those that say so in the child.
public struct ArbiterHost {
    /// Writes a line to the error log.
    public var log: (LogLevel, String) -> Void
    /// Called before each `fork` (`PyOS_BeforeFork`).
    public var beforeFork: () -> Void
    /// Called in the master after each `fork`, also when it failed (`PyOS_AfterFork_Parent`).
    public var afterForkInParent: () -> Void
    /// Called in the child, once signals have their default action again (`PyOS_AfterFork_Child`).
    public var afterForkInChild: () -> Void
    /// Runs `body`, which sleeps and does not touch Python, with the interpreter released.
    public var blocking: (_ body: () -> Void) -> Void
    /// Lets Python run the handlers of signals that arrived and are not the master's (`PyErr_CheckSignals`). Returns
    /// the exit status with which to stop when one of them raised an exception, which the host has reported; nil to go
    /// on.
    public var checkPythonSignals: () -> Int32?
    /// Tells what happens.
    public var notify: (ArbiterEvent) -> EventOutcome
    /// Reads the configuration again, which is to have this number. Nil when that fails, which the host has reported.
    public var readConfiguration: (_ generation: Int) -> ArbiterConfiguration?
    /// Finds the files that the configuration in force names for `--reload`, beside those of the code.
    public var namedFiles: () -> NamedFiles
    /// In a forked child: loads the application, for workers that are forked from it, and tells the descriptor which
    /// files it comes from. Nil when that went well; otherwise an exit status, and the host has reported it.
    public var preload: (_ reports: Descriptor?) -> Int32?
    /// In a forked child: becomes the program that this one was started as, with these variables added to the
    /// environment. Returns only when that fails, which the host has reported.
    public var execute: (_ variables: [(name: String, value: String)]) -> Void

    public init(
        log: @escaping (LogLevel, String) -> Void,
        beforeFork: @escaping () -> Void,
        afterForkInParent: @escaping () -> Void,
        afterForkInChild: @escaping () -> Void,
        blocking: @escaping (_ body: () -> Void) -> Void,
        checkPythonSignals: @escaping () -> Int32?,
        notify: @escaping (ArbiterEvent) -> EventOutcome,
        readConfiguration: @escaping (Int) -> ArbiterConfiguration?,
        namedFiles: @escaping () -> NamedFiles,
        preload: @escaping (Descriptor?) -> Int32?,
        execute: @escaping (_ variables: [(name: String, value: String)]) -> Void
    ) {
        self.log = log
        self.beforeFork = beforeFork
        self.afterForkInParent = afterForkInParent
        self.afterForkInChild = afterForkInChild
        self.blocking = blocking
        self.checkPythonSignals = checkPythonSignals
        self.notify = notify
        self.readConfiguration = readConfiguration
        self.namedFiles = namedFiles
        self.preload = preload
        self.execute = execute
    }
}
