internal import CSystem
internal import Glibc

/// How many connections wait in a listening socket to be accepted (`listen(2)`).
public struct ListenQueue: Equatable, Sendable {
    public let waiting: Int
    /// The most that may wait.
    public let limit: Int
}

extension Descriptor {
    /// What waits in a listening TCP socket: `TCP_INFO` (tcp(7)), which tells it in two fields that listening sockets
    /// have no other use for. Nil for a Unix socket, whose queue the kernel tells by netlink only.
    public func listenQueue() -> ListenQueue? {
        var information = tcp_info()
        var size = socklen_t(MemoryLayout<tcp_info>.size)
        guard getsockopt(rawValue, Int32(IPPROTO_TCP), TCP_INFO, &information, &size) == 0 else { return nil }
        return ListenQueue(waiting: Int(information.tcpi_unacked), limit: Int(information.tcpi_sacked))
    }
}
