internal import CSystem
internal import Glibc

/// A socket that listens: non-blocking, closed on exec. Like a descriptor it is a name, not an owner; the master closes
/// it when it stops, each worker closes its own copy, and only the master removes the file of a unix socket.
public struct ListeningSocket: Sendable {
    /// The socket, which does not block.
    public let descriptor: Descriptor
    /// Where it listens, port 0 replaced by the port that was picked.
    public let address: SocketAddress
    /// The address as clients write it: `http://127.0.0.1:8000`, `http://[::1]:8000`, `unix:/run/app.sock`.
    public let url: String
    /// The file that this process created for a unix socket.
    private let file: (path: UnixPath, identity: UnixPath.Identity)?

    /// Listens on a TCP port.
    ///
    /// - Parameters:
    ///   - host: a numeric address of either family, without brackets; a name, of which an IPv4 address is preferred;
    ///     or empty for all IPv4 addresses.
    ///   - port: 0 has the kernel pick one.
    ///   - backlog: how many connections may wait to be accepted; the kernel caps it (`listen(2)`).
    ///   - sharesPort: other sockets may listen on the same port (`twin`), those of other servers too.
    /// - Throws: `ListenError`.
    public static func tcp(
        host: String, port: UInt16, backlog: Int32, sharesPort: Bool = false
    ) throws(ListenError) -> ListeningSocket {
        let bind = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        let resolved = try ResolvedAddress(host: host, port: port, bind: bind)
        do throws(SystemError) {
            let descriptor = try Descriptor.streamSocket(family: resolved.family)
            return try descriptor.closingOnError { () throws(SystemError) in
                // Without it, connections of the former server in TIME_WAIT keep the port for a minute (`socket(7)`).
                try descriptor.enable(SOL_SOCKET, SO_REUSEADDR)
                try descriptor.setNoDelay()
                if sharesPort { try descriptor.enable(SOL_SOCKET, SO_REUSEPORT) }
                _ = try systemCall("bind") {
                    resolved.withAddress { Glibc.bind(descriptor.rawValue, $0, $1) }
                }
                _ = try systemCall("listen") { listen(descriptor.rawValue, backlog) }
                return try ListeningSocket(bound: descriptor, fallback: bind)
            }
        } catch {
            switch error.errno {
            case .addressInUse: throw ListenError(bind, .addressInUse)
            case .permissionDenied, .notPermitted: throw ListenError(bind, .portNotPermitted)
            case .addressNotAvailable: throw ListenError(bind, .addressNotAvailable)
            default: throw ListenError(bind, .failed(error))
            }
        }
    }

    /// Listens on a unix socket, in place of one that a killed server left behind. Of servers that start at once, one
    /// gets the path. The caller is the only thread of the process: the umask is changed for the length of the call.
    ///
    /// - Parameters:
    ///   - path: at most 107 bytes; a leading NUL byte makes an abstract name (`unix(7)`).
    ///   - umask: permission bits that the socket lacks.
    ///   - owner: whom its file is given to, by number; nil leaves it to the user, or the group, of the process.
    /// - Throws: `ListenError`.
    public static func unix(
        path: String, umask: UInt32 = 0, owner: (user: Int?, group: Int?) = (nil, nil), backlog: Int32
    ) throws(ListenError) -> ListeningSocket {
        let path = try UnixPath(path)
        return try path.whileLocked { () throws(ListenError) in
            try path.removeStale()
            do throws(SystemError) {
                return try ListeningSocket(path, umask: umask, owner: owner, backlog: backlog)
            } catch {
                throw ListenError(path.bind, path.reason(error))
            }
        }
    }

    /// Has the kernel keep a new TCP connection to itself until its first bytes have come, so that nobody wakes for, or
    /// reads from, a client that has said nothing yet (`TCP_DEFER_ACCEPT`, `tcp(7)`). Where none come in that time, the
    /// connection is accepted as it is.
    ///
    /// - Parameter seconds: 0 for what the kernel does by itself.
    /// - Throws: `SystemError` where this is no TCP socket.
    public func deferAccept(seconds: Int32) throws(SystemError) {
        try descriptor.setOption(Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, to: seconds)
    }

    private init(
        _ path: UnixPath, umask: UInt32, owner: (user: Int?, group: Int?), backlog: Int32
    ) throws(SystemError) {
        let descriptor = try Descriptor.streamSocket(family: AF_UNIX)
        self = try descriptor.closingOnError { () throws(SystemError) in
            let former = Process.setUmask(umask)
            defer { Process.setUmask(former) }
            _ = try systemCall("bind") { path.withAddress { Glibc.bind(descriptor.rawValue, $0, $1) } }
            let file = path.identity().map { (path: path, identity: $0) }
            do throws(SystemError) {
                if file != nil { try path.give(to: owner) }
                _ = try systemCall("listen") { listen(descriptor.rawValue, backlog) }
            } catch {
                if let file { file.path.remove(file.identity) }
                throw error
            }
            return ListeningSocket(descriptor: descriptor, address: .unix(path: path.path), url: path.bind, file: file)
        }
    }

    /// Takes over a socket that this process inherited, from a service manager or an older master. It is made to listen
    /// unless it does already. Its file, if it has one, is somebody else's to remove, unless `ownsFile`.
    ///
    /// - Throws: `ListenError`.
    public static func adopt(
        descriptor number: Int32, backlog: Int32, ownsFile: Bool = false
    ) throws(ListenError) -> ListeningSocket {
        let bind = "fd://\(number)"
        let descriptor = Descriptor(rawValue: number)
        do throws(SystemError) {
            guard try descriptor.option(SOL_SOCKET, SO_TYPE) == Int32(SOCK_STREAM.rawValue) else {
                throw SystemError(Errno(rawValue: ESOCKTNOSUPPORT), call: "getsockopt")
            }
            _ = try systemCall("fcntl") { csystem_set_close_on_exec(number) }
            _ = try systemCall("fcntl") { csystem_set_non_blocking(number) }
            // A second `listen` is harmless to the kernel, but security modules may deny it to all but the creator.
            if try descriptor.option(SOL_SOCKET, SO_ACCEPTCONN) == 0 {
                _ = try systemCall("listen") { listen(number, backlog) }
            }
            let socket = try ListeningSocket(bound: descriptor, fallback: bind)
            guard case .unix(let name) = socket.address else {
                try descriptor.setNoDelay()
                return socket
            }
            guard ownsFile, let path = try? UnixPath(name), let identity = path.identity() else { return socket }
            return ListeningSocket(
                descriptor: descriptor, address: socket.address, url: socket.url, file: (path, identity))
        } catch {
            throw ListenError(bind, .descriptorUnusable("\(error.errno)"))
        }
    }

    private init(
        descriptor: Descriptor, address: SocketAddress, url: String,
        file: (path: UnixPath, identity: UnixPath.Identity)?
    ) {
        self.descriptor = descriptor
        self.address = address
        self.url = url
        self.file = file
    }

    /// Reads back where a bound socket listens.
    init(bound descriptor: Descriptor, fallback: String) throws(SystemError) {
        guard let address = try descriptor.localAddress() else {
            throw SystemError(Errno(rawValue: EAFNOSUPPORT), call: "getsockname")
        }
        let url =
            switch address {
            case .ipv4(_, let port): "http://\(address.host):\(port)"
            case .ipv6(_, let port): "http://[\(address.host)]:\(port)"
            case .unix(let path) where !path.isEmpty: "unix:\(path)"
            case .unix: descriptor.abstractName().map { "unix:@\($0)" } ?? fallback
            }
        self.init(descriptor: descriptor, address: address, url: url, file: nil)
    }

    /// Closes this process's copy. Clients are refused once the last copy is closed.
    public func close() {
        descriptor.close()
    }

    /// Closes this process's copy and removes the file of a unix socket that this process created, unless another
    /// server has put its own in its place.
    public func closeAndRemoveFile() {
        // In this order: while the socket is open the kernel keeps the file's inode number from being used again, which
        // is what tells the two files apart.
        if let file { file.path.remove(file.identity) }
        close()
    }
}
