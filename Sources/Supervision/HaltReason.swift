/// Why the server stops by itself, without having been asked to.
///
/// A worker that cannot boot would not boot the next time either: its code is the same. It says so with a reserved exit
/// status. When nobody is left who serves, the whole server stops with that status, for the service manager to see.
public enum HaltReason: Equatable, Sendable {
    /// A worker exited with status 3: it failed before it could serve.
    case workerFailedToBoot
    /// A worker exited with status 4: the application was not found where the command line names it.
    case applicationFailedToLoad

    /// Nil when this end of a worker does not say that it failed to boot.
    public init?(_ exit: WorkerExit) {
        switch exit {
        case .exited(code: Self.workerFailedToBoot.exitCode): self = .workerFailedToBoot
        case .exited(code: Self.applicationFailedToLoad.exitCode): self = .applicationFailedToLoad
        default: return nil
        }
    }

    /// The exit status with which such a worker leaves, and the master after it.
    public var exitCode: Int32 {
        switch self {
        case .workerFailedToBoot: 3
        case .applicationFailedToLoad: 4
        }
    }
}
