internal import CSystem
internal import Glibc

/// Several sockets that listen on one port, among which the kernel divides the clients (`SO_REUSEPORT`, socket(7)).
extension ListeningSocket {
    /// Whether another socket could listen beside it: TCP alone knows that.
    public var canHaveTwin: Bool { address.port != nil }

    /// Lets others listen beside a socket that was made without that.
    ///
    /// - Throws: `SystemError`.
    public func sharePort() throws(SystemError) { try descriptor.enable(SOL_SOCKET, SO_REUSEPORT) }

    /// Another socket with the same address, which does not listen yet: the kernel gives it no clients before
    /// `startListening`. All of them must belong to the same user.
    ///
    /// - Throws: `SystemError`, EADDRINUSE when one of the sockets there does not share its port.
    public func twin() throws(SystemError) -> ListeningSocket {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = try systemCall("getsockname") {
            withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getsockname(descriptor.rawValue, $0, &length)
                }
            }
        }
        let twin = try Descriptor.streamSocket(family: Int32(storage.ss_family))
        return try twin.closingOnError { () throws(SystemError) in
            try twin.enable(SOL_SOCKET, SO_REUSEADDR)
            try twin.enable(SOL_SOCKET, SO_REUSEPORT)
            try twin.setNoDelay()
            if storage.ss_family == sa_family_t(AF_INET6) {
                let own = try descriptor.option(Int32(IPPROTO_IPV6), IPV6_V6ONLY)
                try twin.setOption(Int32(IPPROTO_IPV6), IPV6_V6ONLY, to: own)
            }
            _ = try systemCall("bind") {
                withUnsafePointer(to: storage) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(twin.rawValue, $0, length) }
                }
            }
            return try ListeningSocket(bound: twin, fallback: url)
        }
    }

    /// Has the kernel ignore who begins to connect from now on: its client tries again a second later, and gets another
    /// of the sockets if this one is closed by then. What is under way comes to be, and waits in the backlog.
    ///
    /// - Throws: `SystemError`.
    public static func refuseHandshakes(_ listener: Descriptor) throws(SystemError) {
        _ = try systemCall("setsockopt") { csystem_refuse_handshakes(listener.rawValue) }
    }

    /// Has a twin get clients from now on.
    ///
    /// - Parameter backlog: how many connections may wait to be accepted; the kernel caps it (`listen(2)`).
    /// - Throws: `SystemError`.
    public func startListening(backlog: Int32) throws(SystemError) {
        _ = try systemCall("listen") { listen(descriptor.rawValue, backlog) }
    }
}
