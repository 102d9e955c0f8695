internal import CSystem
internal import Glibc

/// What a log needs of the descriptor that it goes to, which others have too.
extension Descriptor {
    /// How a descriptor behaves when it takes no more.
    public enum Kind: Sendable {
        /// Takes what it is given, or fails.
        case regular
        case socket
        /// A pipe, a terminal, a device: may wait.
        case other
    }

    /// What it is at the moment (`fstat(2)`).
    public var kind: Kind {
        var status = stat()
        guard fstat(rawValue, &status) == 0 else { return .other }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .regular
        case S_IFSOCK: .socket
        default: .other
        }
    }

    /// How many connections wait in a listener's queue (`TCP_INFO`, tcp(7)); nil where the system does not say, as for
    /// Unix sockets.
    public var acceptQueueLength: Int? {
        let count = csystem_accept_queue(rawValue)
        return count < 0 ? nil : Int(count)
    }

    /// `write(2)`. Returns how many bytes were written.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
        try systemCall("write") { Glibc.write(rawValue, bytes.baseAddress, bytes.count) }
    }

    /// The same, where the description may have `O_NONBLOCK`.
    public func writeIfRoom(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> IOResult<Int> {
        try nonBlockingCall("write") { Glibc.write(rawValue, bytes.baseAddress, bytes.count) }
    }

    /// `send(2)` without waiting, whatever the socket is set to (`MSG_DONTWAIT`), and without SIGPIPE.
    public func sendNow(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> IOResult<Int> {
        try nonBlockingCall("send") { csystem_send_now(rawValue, bytes.baseAddress, bytes.count) }
    }
}
