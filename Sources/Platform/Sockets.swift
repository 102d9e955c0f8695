internal import CSystem
internal import Glibc

/// A run of bytes to send, borrowed for the length of the call.
public typealias SendVector = UnsafeRawBufferPointer

extension Descriptor {
    /// Accepts a connection: non-blocking, closed on exec. Its address comes with it, at no cost of a call.
    public func accept() throws(SystemError) -> IOResult<(socket: Descriptor, peer: SocketAddress)> {
        var storage = sockaddr_storage()
        var size = UInt32(MemoryLayout<sockaddr_storage>.size)
        let result = try nonBlockingCall("accept4") { csystem_accept(rawValue, &storage, &size) }
        guard case .processed(let number) = result else { return .wouldBlock }
        let peer = withUnsafeBytes(of: &storage) {
            SocketAddress(UnsafeRawBufferPointer(rebasing: $0.prefix(Int(size))))
        }
        let socket = Descriptor(rawValue: number)
        guard let peer else {
            // A family that no listener of ours has: nothing is known of who that is, and so nothing to trust.
            socket.close()
            return .wouldBlock
        }
        return .processed((socket, peer))
    }

    /// `recv(2)`; 0 means that the peer sent its last byte.
    public func receive(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> IOResult<Int> {
        try nonBlockingCall("recv") { recv(rawValue, buffer.baseAddress, buffer.count, 0) }
    }

    /// Sends bytes without raising SIGPIPE. Returns how many the kernel took.
    public func send(_ bytes: SendVector) throws(SystemError) -> IOResult<Int> {
        try nonBlockingCall("send") { csystem_send(rawValue, bytes.baseAddress, bytes.count) }
    }

    /// Sends three runs of bytes in one call, without raising SIGPIPE; any may be empty.
    public func send(
        _ first: SendVector, _ second: SendVector, _ third: SendVector
    ) throws(SystemError) -> IOResult<Int> {
        func vector(_ bytes: SendVector) -> iovec {
            iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
        }
        var vectors = (vector(first), vector(second), vector(third))
        return try nonBlockingCall("sendmsg") {
            withUnsafeBytes(of: &vectors) {
                csystem_send_vectors(rawValue, $0.assumingMemoryBound(to: iovec.self).baseAddress, 3)
            }
        }
    }

    /// `sendfile(2)`: file bytes from `offset` straight to the socket. 0 means that the file ended early.
    public func sendFile(_ file: Descriptor, from offset: Int, count: Int) throws(SystemError) -> IOResult<Int> {
        var position = off_t(offset)
        return try nonBlockingCall("sendfile") { sendfile(rawValue, file.rawValue, &position, count) }
    }

    /// Bytes sent that the peer has not acknowledged, or for a Unix socket not read (`SIOCOUTQ`, tcp(7)). 0 for a
    /// broken connection.
    public func unsentByteCount() -> Int {
        max(0, Int(csystem_unsent(rawValue)))
    }

    /// What the peer has done so far, without waiting and without taking anything from the socket (`poll(2)`).
    public func peerState() -> PeerState {
        switch csystem_peer_state(rawValue) {
        case 0: .present
        case 1: .finishedSending
        default: .gone
        }
    }

    /// Whether bytes that nobody has read wait in the socket.
    public var hasUnreadBytes: Bool {
        var byte: UInt8 = 0
        return recv(rawValue, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) > 0
    }

    /// Ends our sending half; the peer reads an end of file. Errors mean that the peer has left already.
    public func shutdownSending() {
        _ = shutdown(rawValue, Int32(SHUT_WR))
    }

    /// Ends both halves, for whoever else has the same socket too: `close(2)` alone ends nothing while a forked process
    /// keeps a copy (`shutdown(2)`). Errors mean that the peer has left already.
    public func shutdownBoth() {
        _ = shutdown(rawValue, Int32(SHUT_RDWR))
    }

    /// Blocks until the socket takes bytes again, `poll(2)`.
    ///
    /// - Parameter milliseconds: the longest wait; -1 for as long as it takes.
    /// - Returns: false after the timeout. A signal ends the wait early and counts as ready: the caller tries again.
    public func waitUntilWritable(milliseconds: Int32) -> Bool {
        wait(for: POLLOUT, milliseconds)
    }

    /// The same for bytes to read, the peer's end of the stream, or a connection to accept.
    public func waitUntilReadable(milliseconds: Int32) -> Bool {
        wait(for: POLLIN, milliseconds)
    }

    private func wait(for events: Int32, _ milliseconds: Int32) -> Bool {
        var watched = pollfd(fd: rawValue, events: Int16(events), revents: 0)
        return poll(&watched, 1, milliseconds) != 0
    }
}

/// How much of a connection its peer has ended.
public enum PeerState: Sendable {
    case present
    /// It sends no more; whether it still reads cannot be known.
    case finishedSending
    /// It closed both directions, or reset the connection.
    case gone
}
