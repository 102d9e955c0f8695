internal import Platform

/// How bytes pass between a connection and its client: plain, over a socket. Whatever changes the bytes on their way
/// stands here; who sends and receives does not know of it.
///
/// It is a name, not an owner: whoever adopted the socket closes it, once.
struct Channel {
    let socket: Descriptor

    /// Takes what has come, without waiting; 0 bytes means that the client sent its last.
    @inline(__always)
    func receive(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> IOResult<Int> {
        try socket.receive(into: buffer)
    }

    /// Sends without waiting. Returns how many bytes were taken.
    @inline(__always)
    func send(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> IOResult<Int> { try socket.send(bytes) }

    /// Sends up to three runs in one call; any may be empty.
    func send(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, _ third: UnsafeRawBufferPointer
    ) throws(SystemError) -> IOResult<Int> {
        try socket.send(first, second, third)
    }

    /// Sends part of a file, without waiting for the client; 0 means that the file ended early.
    func sendFile(_ file: Descriptor, from offset: Int, count: Int) throws(SystemError) -> IOResult<Int> {
        try socket.sendFile(file, from: offset, count: count)
    }

    /// Bytes sent that the client has not taken.
    var unsentByteCount: Int { socket.unsentByteCount() }

    /// What the client has done so far; nothing is taken from the socket.
    var peerState: PeerState { socket.peerState() }

    /// Whether bytes that nobody has read are there.
    var hasUnreadBytes: Bool { socket.hasUnreadBytes }

    /// Waits for bytes, or the client's end. False after `milliseconds`; -1 waits for as long as it takes.
    func waitUntilReadable(milliseconds: Int32) -> Bool { socket.waitUntilReadable(milliseconds: milliseconds) }

    /// The same for room to send.
    func waitUntilWritable(milliseconds: Int32) -> Bool { socket.waitUntilWritable(milliseconds: milliseconds) }

    /// Says that nothing more is sent; what the client sends still comes.
    func shutdownSending() { socket.shutdownSending() }

    /// Ends the connection, whoever else has the socket: a process that the application forked keeps it open, and
    /// without the shutdown the client would wait for an end that does not come.
    func shutdownAndClose() {
        socket.shutdownBoth()
        socket.close()
    }

    /// The same after `shutdownSending`: the client has its end of the stream already.
    func close() { socket.close() }
}
