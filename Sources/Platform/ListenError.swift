/// Why an address cannot be listened on: one line for whoever chose it, with the way out.
public struct ListenError: Error, Equatable, Sendable {
    /// What is wrong.
    public enum Reason: Equatable, Sendable {
        /// Somebody listens there. The only reason that waiting can remove.
        case addressInUse
        /// The port is reserved to the system.
        case portNotPermitted
        /// The directory of a unix socket is not writable, or the socket in it not ours to ask.
        case pathNotPermitted
        /// The machine has no such address.
        case addressNotAvailable
        /// The path of a unix socket is longer than the kernel takes.
        case pathTooLong(bytes: Int)
        /// The path of a unix socket is empty or holds a NUL byte.
        case pathInvalid
        /// The directory of a unix socket does not exist.
        case noSuchDirectory
        /// The path exists and is something else than a socket.
        case notASocket
        /// The host name has no address; the resolver's own words.
        case hostNotFound(String)
        /// The inherited descriptor is closed, or is no stream socket of a family that we serve.
        case descriptorUnusable(String)
        /// Anything else.
        case failed(SystemError)
    }

    /// The address as the user writes it.
    public let bind: String
    /// Why it cannot be listened on.
    public let reason: Reason

    /// - Parameter bind: the address as it was written.
    public init(_ bind: String, _ reason: Reason) {
        self.bind = bind
        self.reason = reason
    }
}

extension ListenError: CustomStringConvertible {
    public var description: String { "\(bind): \(explanation)" }

    private var explanation: String {
        switch reason {
        case .addressInUse:
            "address already in use; stop the process that listens there, or bind another address"
        case .portNotPermitted:
            "permission denied; low ports need root or CAP_NET_BIND_SERVICE, so bind a port from 1024 on"
        case .pathNotPermitted:
            "permission denied; this user must be able to write to the directory and to a socket left there"
        case .addressNotAvailable:
            "not an address of this machine; bind one that is, or 0.0.0.0 for all of them"
        case .pathTooLong(let bytes):
            "the path has \(bytes) bytes and the system allows \(UnixPath.longest); choose a shorter one"
        case .pathInvalid:
            "not a usable path; it must not be empty or hold a NUL byte"
        case .noSuchDirectory:
            "no such directory; create it, or choose another path"
        case .notASocket:
            "the path exists and is not a socket; remove it, or choose another path"
        case .hostNotFound(let text):
            "cannot resolve the host name (\(text)); bind a numeric address, or correct the name"
        case .descriptorUnusable(let text):
            "not a stream socket to listen on (\(text)); check what the parent process passes on"
        case .failed(let error):
            "\(error)"
        }
    }
}
