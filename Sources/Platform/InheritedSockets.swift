internal import CSystem
internal import Glibc

/// A listening socket that the service manager opened before it started this process (socket activation,
/// `sd_listen_fds(3)`).
public struct InheritedSocket: Equatable, Sendable {
    /// What sort of socket it is.
    public enum Kind: Equatable, Sendable {
        case ipv4
        case ipv6
        case unix
    }

    /// Ours to close.
    public let descriptor: Descriptor
    /// What the unit calls it (`FileDescriptorName=`); nil when the manager passes no names on.
    public let name: String?
    /// What it was found to be.
    public let kind: Kind
}

/// Why sockets that were passed on cannot be served. The text names the descriptor or the variable.
public enum InheritedSocketError: Error, Equatable, Sendable {
    /// A variable that cannot be read, or names that are not as many as the descriptors.
    case variable(ServiceVariableError)
    /// Nothing is open under the number.
    case notOpen(descriptor: Int32)
    /// Not a stream socket of IPv4, IPv6 or Unix: a FIFO, a datagram socket, a file.
    case notAStreamSocket(descriptor: Int32)
    /// A stream socket that accepts no connections, as one of a unit with `Accept=yes` is.
    case notListening(descriptor: Int32)
}

extension InheritedSocketError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .variable(let error):
            "\(error)"
        case .notOpen(let number):
            "descriptor \(number), passed on by the service manager, is not open"
        case .notAStreamSocket(let number):
            "descriptor \(number), passed on by the service manager, is no stream socket; the unit needs ListenStream="
        case .notListening(let number):
            "descriptor \(number), passed on by the service manager, does not listen; the unit needs Accept=no"
        }
    }
}

extension InheritedSocket {
    /// What the manager sets for one process, to be removed from its environment once read: a child must not take them.
    /// Python keeps a copy of the environment, so it has to remove them there too (`os.environ.pop`).
    public static let variables = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID"]

    /// The descriptors start here, behind stdin, stdout and stderr (`SD_LISTEN_FDS_START`).
    static let first: Int32 = 3

    /// Which descriptors the variables hand to this process, and what they are called. Looks at no descriptor.
    ///
    /// - Parameter environment: looks a variable up.
    /// - Returns: nothing when there are none, or when they are for another process.
    /// - Throws: `InheritedSocketError`, `variable`.
    static func announced(
        for pid: ProcessID, startingAt first: Int32 = Self.first, from environment: (String) -> String?
    ) throws(InheritedSocketError) -> [(descriptor: Int32, name: String?)] {
        guard let owner = environment("LISTEN_PID"), let text = environment("LISTEN_FDS") else { return [] }
        guard let ownerID: ProcessID = decimal(owner), ownerID > 0 else {
            throw .variable(ServiceVariableError(name: "LISTEN_PID", value: owner))
        }
        guard ownerID == pid else { return [] }
        // A number that no process can have open is refused here, before anything of that size is made.
        guard let count: Int32 = decimal(text), count <= Self.mostDescriptors else {
            throw .variable(ServiceVariableError(name: "LISTEN_FDS", value: text))
        }
        guard let joined = environment("LISTEN_FDNAMES") else { return (0..<count).map { (first + $0, nil) } }
        let names = joined.split(separator: ":", maxSplits: Int(count), omittingEmptySubsequences: false)
        guard names.count == Int(count) || (count == 0 && joined.isEmpty) else {
            throw .variable(ServiceVariableError(name: "LISTEN_FDNAMES", value: joined))
        }
        return (0..<count).map { (first + $0, String(names[Int($0)])) }
    }

    /// The kernel's own ceiling by default (`fs.nr_open`).
    private static let mostDescriptors: Int32 = 1 << 20

    /// Takes over the sockets that the service manager passed on, removes its variables from the process's environment,
    /// and has the descriptors closed on exec. `ListeningSocket.adopt` makes listeners of them.
    ///
    /// - Parameter environment: looks a variable up.
    /// - Returns: nothing when the process was not started by socket activation.
    /// - Throws: `InheritedSocketError`. All descriptors stay open then, and are closed on exec as far as they exist.
    public static func take(
        for pid: ProcessID = Process.id, from environment: (String) -> String? = Process.environment
    ) throws(InheritedSocketError) -> [InheritedSocket] {
        try take(for: pid, startingAt: first, from: environment)
    }

    /// The same with the first descriptor chosen by a test, which cannot have the numbers from 3 on for itself.
    static func take(
        for pid: ProcessID, startingAt first: Int32, from environment: (String) -> String?
    ) throws(InheritedSocketError) -> [InheritedSocket] {
        defer { for name in variables { Process.removeEnvironment(name) } }
        let announced = try announced(for: pid, startingAt: first, from: environment)
        // First, so that an error below leaves none of them to a child.
        for (number, _) in announced where csystem_set_close_on_exec(number) == -1 {
            throw .notOpen(descriptor: number)
        }
        var sockets: [InheritedSocket] = []
        for (number, name) in announced {
            sockets.append(
                InheritedSocket(descriptor: Descriptor(rawValue: number), name: name, kind: try kind(of: number)))
        }
        return sockets
    }

    /// What a descriptor is, if it can be served.
    static func kind(of number: Int32) throws(InheritedSocketError) -> Kind {
        let descriptor = Descriptor(rawValue: number)
        guard let type = try? descriptor.option(SOL_SOCKET, SO_TYPE), type == Int32(SOCK_STREAM.rawValue),
            let family = try? descriptor.option(SOL_SOCKET, SO_DOMAIN)
        else { throw .notAStreamSocket(descriptor: number) }
        let kind: Kind
        switch family {
        case AF_INET: kind = .ipv4
        case AF_INET6: kind = .ipv6
        case AF_UNIX: kind = .unix
        default: throw .notAStreamSocket(descriptor: number)
        }
        guard (try? descriptor.option(SOL_SOCKET, SO_ACCEPTCONN)) == 1 else { throw .notListening(descriptor: number) }
        return kind
    }
}

extension Process {
    /// Removes a variable from the process's environment, `unsetenv(3)`. No other thread may look at it meanwhile.
    public static func removeEnvironment(_ name: String) {
        unsetenv(name)
    }
}
