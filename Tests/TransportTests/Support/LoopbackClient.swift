import Glibc
import Platform

/// A client's socket on 127.0.0.1. Nothing in it waits: the test's loop drives client and server in turns, and brings
/// the deadline (`ForeignLoop.run`).
final class LoopbackClient {
    enum End { case closed, reset }

    private let number: Int32
    private var isOpen = true
    private(set) var received: [UInt8] = []
    /// How the server ended the connection, once it did.
    private(set) var end: End?

    /// - Parameter receiveBuffer: bytes that the kernel keeps for this client; small, so that a response does not fit.
    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if var size = receiveBuffer {
            setsockopt(number, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        // Returns at once: the listener's backlog completes the handshake.
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw SystemError(Errno(rawValue: errno), call: "connect") }
    }

    deinit { close() }

    /// What came so far, as text.
    var text: String { String(decoding: received, as: UTF8.self) }

    /// Bytes that the kernel took; 0 when it is full, or the server is gone.
    func offer(_ bytes: ArraySlice<UInt8>) -> Int {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        return max(0, bytes.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, flags) })
    }

    /// Sends what certainly fits into the kernel's buffers.
    func send(_ text: String) {
        let bytes = Array(text.utf8)
        let taken = offer(bytes[...])
        precondition(taken == bytes.count, "the loopback's buffers took \(taken) of \(bytes.count) bytes")
    }

    /// Takes what has come, up to `limit` bytes.
    func receive(upTo limit: Int = .max) {
        var chunk = [UInt8](repeating: 0, count: min(limit, 65_536))
        var left = limit
        while left > 0, end == nil {
            let count = recv(number, &chunk, min(left, chunk.count), Int32(MSG_DONTWAIT))
            if count > 0 {
                received += chunk[..<count]
                left -= count
            } else if count == 0 {
                end = .closed
            } else {
                if errno != EAGAIN { end = .reset }
                return
            }
        }
    }

    /// Whether at least as much as this text has come: whether it is the same is for the test to say.
    func has(_ expected: String) -> Bool { has(count: expected.utf8.count) }

    /// Whether the server has ended the connection.
    func hasEnded() -> Bool {
        receive()
        return end != nil
    }

    /// Whether at least so many bytes have come.
    func has(count: Int) -> Bool {
        receive()
        return received.count >= count
    }

    /// Sleeps until something has come; false when the time is up. For tests whose server has a thread of its own.
    func wait(milliseconds: Int32) -> Bool {
        var watched = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, milliseconds) > 0
    }

    func forget() { received = [] }

    func finishSending() { shutdown(number, Int32(SHUT_WR)) }

    func close() {
        guard isOpen else { return }
        isOpen = false
        Glibc.close(number)
    }

    /// Closes with a reset, as a client that crashed does.
    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close()
    }
}
