internal import CSystem
internal import Glibc

/// An error number of the C library, as `errno(3)` lists them.
public struct Errno: RawRepresentable, Hashable, Sendable {
    /// The number that the C library gives it.
    public let rawValue: Int32

    /// Any number, also one that has no name here.
    @inlinable public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The calling thread's `errno`: valid only right after a call that failed.
    static var current: Errno { Errno(rawValue: csystem_errno()) }

    public static let again = Errno(rawValue: EAGAIN)
    public static let interrupted = Errno(rawValue: EINTR)
    public static let addressInUse = Errno(rawValue: EADDRINUSE)
    public static let addressNotAvailable = Errno(rawValue: EADDRNOTAVAIL)
    public static let permissionDenied = Errno(rawValue: EACCES)
    public static let notPermitted = Errno(rawValue: EPERM)
    public static let noSuchFile = Errno(rawValue: ENOENT)
    public static let noSuchProcess = Errno(rawValue: ESRCH)
    public static let noChild = Errno(rawValue: ECHILD)
    public static let connectionRefused = Errno(rawValue: ECONNREFUSED)
    public static let brokenPipe = Errno(rawValue: EPIPE)
    public static let tooManyOpenFiles = Errno(rawValue: EMFILE)
    public static let tooManyOpenFilesInSystem = Errno(rawValue: ENFILE)
    public static let noSpace = Errno(rawValue: ENOSPC)
    public static let quotaExceeded = Errno(rawValue: EDQUOT)
    public static let fileTooLarge = Errno(rawValue: EFBIG)
    public static let noMemory = Errno(rawValue: ENOMEM)
    public static let noBuffers = Errno(rawValue: ENOBUFS)
    public static let badDescriptor = Errno(rawValue: EBADF)
    public static let notSocket = Errno(rawValue: ENOTSOCK)
    public static let inputOutput = Errno(rawValue: EIO)
    public static let invalidArgument = Errno(rawValue: EINVAL)
}

extension Errno {
    /// Whether `accept` failed for the connection it would have returned, and not for the listener or the process: the
    /// network errors that accept(2) passes on.
    public var concernsOneConnection: Bool {
        switch rawValue {
        case ECONNABORTED, EPERM, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET, ENOPROTOOPT,
            EOPNOTSUPP:
            true
        default: false
        }
    }
}

extension Errno: CustomStringConvertible {
    /// The C library's text for it, as `strerror(3)` gives it.
    public var description: String {
        String(cString: strerror(rawValue))
    }
}

/// A system call that failed for a reason other than "not now".
public struct SystemError: Error, Equatable, Sendable {
    /// Why it failed.
    public let errno: Errno
    /// The name of the call, as its man page has it.
    public let call: String

    /// A failure of a call, named as its man page has it.
    public init(_ errno: Errno, call: String) {
        self.errno = errno
        self.call = call
    }
}

extension SystemError: CustomStringConvertible {
    /// The call and the C library's text, as `perror(3)` has them.
    public var description: String { "\(call): \(errno)" }
}
