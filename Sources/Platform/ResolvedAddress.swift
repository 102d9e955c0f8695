internal import CSystem
internal import Glibc

/// A socket address of a TCP host and port, as `getaddrinfo(3)` gives it.
struct ResolvedAddress {
    private var storage = sockaddr_storage()
    private let length: socklen_t

    var family: Int32 { Int32(storage.ss_family) }

    /// - Parameter bind: the address as the user writes it, for the error.
    /// - Throws: `ListenError`, `hostNotFound`.
    init(host: String, port: UInt16, bind: String) throws(ListenError) {
        guard !host.utf8.contains(0) else { throw ListenError(bind, .hostNotFound("a NUL byte in the name")) }
        let host = host.isEmpty ? "0.0.0.0" : host
        var failure = EAI_NONAME
        // A numeric address says its family. A name does not: IPv4 first, since "localhost" has meant 127.0.0.1 to
        // every client and proxy configuration in use.
        for (family, flags) in [(AF_UNSPEC, AI_NUMERICHOST), (AF_INET, 0), (AF_INET6, 0)] {
            var hints = addrinfo()
            hints.ai_family = family
            hints.ai_flags = Int32(flags) | Int32(AI_NUMERICSERV)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var list: UnsafeMutablePointer<addrinfo>?
            failure = getaddrinfo(host, "\(port)", &hints, &list)
            guard failure == 0, let first = list else { continue }
            defer { freeaddrinfo(list) }
            length = first.pointee.ai_addrlen
            withUnsafeMutableBytes(of: &storage) {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: first.pointee.ai_addr, count: Int(length)))
            }
            return
        }
        throw ListenError(bind, .hostNotFound(String(cString: gai_strerror(failure))))
    }

    func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}

extension Descriptor {
    /// A new stream socket: non-blocking, closed on exec.
    static func streamSocket(family: Int32) throws(SystemError) -> Descriptor {
        let type = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        return Descriptor(rawValue: try systemCall("socket") { socket(family, Int32(type), 0) })
    }

    /// Switches an integer option on, `setsockopt(2)`.
    func enable(_ level: Int32, _ option: Int32) throws(SystemError) { try setOption(level, option, to: 1) }

    /// Sets an integer option, `setsockopt(2)`.
    func setOption(_ level: Int32, _ option: Int32, to value: Int32) throws(SystemError) {
        var value = value
        _ = try systemCall("setsockopt") {
            setsockopt(rawValue, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Bounds what the kernel keeps of what was sent and not taken (`SO_SNDBUF`, socket(7); twice as much, its own
    /// bookkeeping included). On Linux the TCP connections inherit it that a listener accepts.
    ///
    /// - Throws: `SystemError`, for what is no socket.
    public func limitSendBuffer(bytes: Int32) throws(SystemError) {
        try setOption(SOL_SOCKET, SO_SNDBUF, to: bytes)
    }

    /// Responses leave at once instead of waiting for an acknowledgment (`tcp(7)`). Set on the listener, because on
    /// Linux accepted sockets inherit it, which saves a call per connection.
    func setNoDelay() throws(SystemError) {
        try enable(Int32(IPPROTO_TCP), TCP_NODELAY)
    }

    /// Reads an integer option, `getsockopt(2)`.
    func option(_ level: Int32, _ option: Int32) throws(SystemError) -> Int32 {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        _ = try systemCall("getsockopt") { getsockopt(rawValue, level, option, &value, &size) }
        return value
    }

    /// Runs `body`, and closes the descriptor if it throws.
    func closingOnError<Result>(
        _ body: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        do {
            return try body()
        } catch {
            close()
            throw error
        }
    }
}
