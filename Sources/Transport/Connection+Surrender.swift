public import Platform
internal import Synchronization

/// Connections that go on without the server: the application of the running request takes the socket.
///
/// For the runner that has the request. From `surrender` on the reactor hears nothing of the connection; when the
/// request is over it closes its descriptor, and what the application does with its own is no concern of it.
extension Connection {
    /// Another descriptor of the client's socket, which the caller closes.
    public func duplicateSocket() throws(SystemError) -> Descriptor { try channel.socket.duplicate() }

    /// Gives the connection up. All output must have left.
    ///
    /// - Returns: what the server had read behind the request's head, and the application had not: part of a streamed
    ///   body, as it came, and what follows the request.
    public func surrender() -> [UInt8] {
        isSurrendered = true
        if isWatched {
            // It would go on telling of the socket for as long as the application has that open. An error means that it
            // does not know of it.
            try? poller.remove(channel.socket)
            isWatched = false
        }
        guard case .running(let request) = life.phase else { preconditionFailure("no request runs") }
        var rest: [UInt8] = []
        if case .stream(let stream) = request.body { rest += Array(stream.available) + Array(stream.rest) }
        if let received = request.received { rest += received.store.bytes.dropFirst(received.requestCount) }
        return rest
    }

    /// Has a response that waits for others wait for the socket alone.
    public func stopDeferring() {
        if isDeferred { outputState.store(.pending, ordering: .releasing) }
    }
}
