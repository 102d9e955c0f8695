internal import HTTPWire
internal import Platform

/// Bodies that the application reads itself: handing them out, and what becomes of what it left.
extension Reactor {
    /// Whether a body is better handed out whole: all of it has come already.
    ///
    /// - Throws: `WireError` for what is not a chunked body.
    func isWhole(chunked bytes: UnsafeRawBufferPointer) throws(WireError) -> Bool {
        var decoder = ChunkedDecoder(policy: configuration.policy)
        var offset = 0
        while true {
            switch try decoder.next(bytes.bytes, from: offset) {
            case .more: return false
            case .data(let range): offset = range.offsets.upperBound
            case .end: return true
            }
        }
    }

    /// The application's thread may have read the socket, so what the poller said of it is out of date.
    func takeBack(_ stream: BodyStream, of connection: Connection) {
        connection.mayBeReadable = true
        if case .wire(let error)? = stream.fault { noteInvalid(connection, id: error.id) }
        if stream.isComplete { endStream(stream, of: connection) }
    }

    /// The body is over, and what came behind it is the next request's.
    private func endStream(_ stream: BodyStream, of connection: Connection) {
        connection.body = .none
        guard stream.rest.count > 0 else { return }
        if let input = connection.input {
            input.append(stream.rest)
        } else {
            connection.input = ByteStore(stream.rest)
        }
        connection.hasUnparsedInput = true
    }

    /// The response has left, and the application did not read all of the body: the next request begins behind the rest of
    /// it, if that is short enough to be worth the wait.
    func discard(_ stream: BodyStream, of connection: Connection) {
        connection.phase = .discarding(stream, budget: Self.discardBudget)
        setDeadline(connection, after: configuration.timeouts.linger)
        enqueue(connection)
    }

    /// Bytes of an unread body that are worth a kept connection. gunicorn's.
    private static let discardBudget = 65_536

    func discardOn(_ connection: Connection) {
        guard case .discarding(let stream, var budget) = connection.phase else { return }
        while true {
            switch stream.supply() {
            case .bytes:
                budget -= stream.available.count
                stream.consume(stream.available.count)
                if budget < 0 { return linger(connection) }
            case .wait:
                connection.mayBeReadable = false
                connection.phase = .discarding(stream, budget: budget)
                return watch(connection)
            case .end:
                endStream(stream, of: connection)
                return settle(connection, persist: true)
            case .failed(let fault):
                return fault == .disconnected ? close(connection) : linger(connection)
            }
        }
    }
}
