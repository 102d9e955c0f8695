internal import CSystem
internal import Glibc

/// The address of one end of a connection.
public enum SocketAddress: Equatable, Sendable {
    /// Host byte order; the first byte is the most significant.
    case ipv4(address: UInt32, port: UInt16)
    /// Host byte order likewise.
    case ipv6(address: UInt128, port: UInt16)
    /// A unix socket. Empty for a client that is not bound, which is nearly every client.
    case unix(path: String)

    /// Reads what the kernel wrote. Nil for a family that is none of these.
    init?(_ storage: UnsafeRawBufferPointer) {
        guard storage.count >= MemoryLayout<sa_family_t>.size else {
            self = .unix(path: "")
            return
        }
        switch Int32(storage.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET where storage.count >= MemoryLayout<sockaddr_in>.size:
            let address = storage.loadUnaligned(as: sockaddr_in.self)
            self = .ipv4(address: UInt32(bigEndian: address.sin_addr.s_addr), port: UInt16(bigEndian: address.sin_port))
        case AF_INET6 where storage.count >= MemoryLayout<sockaddr_in6>.size:
            let address = storage.loadUnaligned(as: sockaddr_in6.self)
            let number = withUnsafeBytes(of: address.sin6_addr) { $0.loadUnaligned(as: UInt128.self) }
            self = .ipv6(address: UInt128(bigEndian: number), port: UInt16(bigEndian: address.sin6_port))
        case AF_UNIX:
            let path = storage.dropFirst(MemoryLayout<sa_family_t>.size)
            self = .unix(path: String(decoding: path.prefix { $0 != 0 }, as: UTF8.self))
        default:
            return nil
        }
    }

    /// The port; nil for a unix socket.
    public var port: UInt16? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, let port): port
        case .unix: nil
        }
    }

    /// The numeric host without brackets, or the path of a unix socket.
    public var host: String {
        switch self {
        case .ipv4(let address, _):
            return "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
        case .ipv6(let address, _):
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            withUnsafeBytes(of: address.bigEndian) {
                _ = inet_ntop(AF_INET6, $0.baseAddress, &text, socklen_t(INET6_ADDRSTRLEN))
            }
            return text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        case .unix(let path):
            return path
        }
    }
}

extension Descriptor {
    /// The address this socket is bound to, `getsockname(2)`.
    public func localAddress() throws(SystemError) -> SocketAddress? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = try systemCall("getsockname") {
            withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(rawValue, $0, &size) }
            }
        }
        return withUnsafeBytes(of: &storage) { SocketAddress(UnsafeRawBufferPointer(rebasing: $0.prefix(Int(size)))) }
    }
}
