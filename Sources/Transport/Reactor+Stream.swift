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
    ///
    /// - Returns: what came of the next request, behind a body that is complete.
    func takeBack(_ stream: BodyStream, of connection: Connection) -> ByteStore? {
        connection.mayBeReadable = true
        if case .wire(let error)? = stream.fault { noteInvalid(connection, id: error.id) }
        return stream.isComplete ? Self.rest(behind: stream) : nil
    }

    private static func rest(behind stream: BodyStream) -> ByteStore? {
        stream.rest.count > 0 ? ByteStore(stream.rest) : nil
    }

    /// The response has left, and the application did not read all of the body: the next request begins behind the rest
    /// of it, if that is short enough to be worth the wait.
    func discard(_ stream: BodyStream, of connection: Connection) {
        connection.life.discard(UnreadBody(stream: stream, budget: Self.discardBudget))
        setDeadline(connection, after: configuration.timeouts.linger)
        enqueue(connection)
    }

    /// Bytes of an unread body that are worth a kept connection. gunicorn's.
    private static let discardBudget = 65_536

    func discardOn(_ connection: Connection) {
        guard case .discarding(var body) = connection.phase else { return }
        let stream = body.stream
        while true {
            switch stream.supply() {
            case .bytes:
                body.budget -= stream.available.count
                stream.consume(stream.available.count)
                if body.budget < 0 { return linger(connection) }
            case .wait:
                connection.mayBeReadable = false
                connection.life.discard(body)
                return watch(connection)
            case .end:
                return settle(connection, .next(Self.rest(behind: stream)))
            case .failed(let fault):
                return fault == .disconnected ? close(connection) : linger(connection)
            }
        }
    }
}
