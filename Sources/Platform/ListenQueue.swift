internal import CSystem
internal import Glibc

/// How many connections wait in a listening socket to be accepted (`listen(2)`).
public struct ListenQueue: Equatable, Sendable {
    public let waiting: Int
    /// The most that may wait.
    public let limit: Int
}

extension Descriptor {
    /// What waits in a listening socket. For TCP that is `TCP_INFO` (tcp(7)), which tells it in two fields that
    /// listening sockets have no other use for; for a Unix socket sock_diag(7), by netlink. Nil where the system does
    /// not say: a container may be denied netlink.
    public func listenQueue() -> ListenQueue? {
        var information = tcp_info()
        var size = socklen_t(MemoryLayout<tcp_info>.size)
        if getsockopt(rawValue, Int32(IPPROTO_TCP), TCP_INFO, &information, &size) == 0 {
            return ListenQueue(waiting: Int(information.tcpi_unacked), limit: Int(information.tcpi_sacked))
        }
        var (waiting, limit) = (UInt32(0), UInt32(0))
        guard csystem_unix_queue(rawValue, &waiting, &limit) == 0 else { return nil }
        return ListenQueue(waiting: Int(waiting), limit: Int(limit))
    }
}
