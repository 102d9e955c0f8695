public import HTTPWire
public import Platform

/// Why a request body has no place, told to the client by a status and to the operator by a line.
public struct SpoolFailure: Equatable, Sendable, CustomStringConvertible {
    public let cause: SystemError
    /// Where the file should have been (`tmp_upload_dir`).
    public let directory: String

    public init(cause: SystemError, directory: String) {
        self.cause = cause
        self.directory = directory
    }

    /// A full file system is no state that passes by itself; the rest may be.
    public var fault: WireFault {
        switch cause.errno {
        case .noSpace, .quotaExceeded, .fileTooLarge: .insufficientStorage
        default: .bodyNotStored
        }
    }

    private var remedy: String {
        let elsewhere = "name another directory with --tmp-upload-dir (or TMPDIR)."
        return switch cause.errno {
        case .noSpace, .quotaExceeded: "Free some space there, or \(elsewhere)"
        case .fileTooLarge: "Raise the limit of a file's size (ulimit -f), or \(elsewhere)"
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem:
            "Raise the limit of open files (ulimit -n), or lower --worker-connections."
        default: "Make it a directory that workers may write to, or \(elsewhere)"
        }
    }

    public var description: String { "A request body cannot be kept in \(directory): \(cause). \(remedy)" }
}
