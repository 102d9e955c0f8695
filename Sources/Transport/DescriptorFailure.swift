internal import Platform

/// Why the kernel gives no connection, or no event, and what can be done about it.
enum DescriptorFailure: Equatable {
    /// There are no descriptors, or no memory, left.
    case shortage(ofTheSystem: Bool)
    /// A descriptor that is the server's is not what it was.
    case lost
    /// The process is not allowed to.
    case forbidden
    case other

    init(_ errno: Errno) {
        switch errno {
        case .tooManyOpenFiles: self = .shortage(ofTheSystem: false)
        case .tooManyOpenFilesInSystem, .noMemory, .noBuffers: self = .shortage(ofTheSystem: true)
        case .badDescriptor, .invalidArgument, .notSocket: self = .lost
        case .notPermitted, .permissionDenied: self = .forbidden
        default: self = .other
        }
    }

    /// Whether it helps that a connection is closed.
    var isShortage: Bool { if case .shortage = self { true } else { false } }

    /// A sentence for the log, or none.
    var advice: String {
        switch self {
        case .shortage(ofTheSystem: false):
            "Raise the limit of open files (ulimit -n), or lower --worker-connections."
        case .shortage(ofTheSystem: true): "The whole system is short of descriptors or memory."
        case .lost:
            "Code of the application has closed descriptors that are the server's, as os.closerange() and libraries that "
                + "make daemons do."
        case .forbidden: "A filter of system calls (seccomp), a security module or a firewall forbids it."
        case .other: ""
        }
    }
}
