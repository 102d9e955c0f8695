internal import HTTPServer
internal import HTTPWire
internal import Platform
internal import ProxyWire
internal import Telemetry

/// Requests that cannot be served.
extension Reactor {
    /// Refuses a request, and ends the connection: where its next request starts is unknown.
    ///
    /// - Parameter head: what has come of the head, for the looks of the response.
    func refuse(_ connection: Connection, _ error: WireError, head: UnsafeRawBufferPointer?) {
        if !error.fault.isServers { noteInvalid(connection, id: error.id) }
        let audience = head.map { ErrorAudience(head: $0.bytes) } ?? ErrorAudience()
        refuse(connection, Refusal(error, for: audience), head: head)
    }

    /// The same for a connection that starts wrong.
    func refuse(_ connection: Connection, _ error: ProxyError) {
        noteInvalid(connection, id: error.id)
        refuse(connection, Refusal(status: error.status, id: error.id, for: ErrorAudience()), head: nil)
    }

    /// Refuses a request, and closes the connection at once: its place is needed. Of the page there leaves what does so
    /// by itself.
    func dismiss(_ connection: Connection, _ error: WireError, head: UnsafeRawBufferPointer?) {
        let refusal = Refusal(error, for: head.map { ErrorAudience(head: $0.bytes) } ?? ErrorAudience())
        let page = refusal.response(date: HTTPDate(unixSeconds: Int(Clock.wallSeconds())))
        noteDeparture(of: refusal, page, to: connection, head: head)
        var sent = 0
        page.withUnsafeBytes { if case .processed(let count)? = try? connection.channel.send($0) { sent = count } }
        tellOfDeparture(connection, unsent: page.count - sent)
        close(connection)
    }

    private func refuse(_ connection: Connection, _ refusal: Refusal, head: UnsafeRawBufferPointer?) {
        sharing?.commons.cell.countRefusal(RefusalTable.number(of: refusal.id))
        let page = refusal.response(date: HTTPDate(unixSeconds: Int(Clock.wallSeconds())))
        noteDeparture(of: refusal, page, to: connection, head: head)
        page.withUnsafeBytes { connection.outbox.append(copying: $0) }
        connection.mayBeReadable = true
        connection.life.drain(PartialResponse(sequel: .end(hasRest: false, isExpected: false), unsent: nil))
        drain(connection)
    }

    /// A refused request is an exchange too, though no runner ever has it. It is told of when its page has left.
    private func noteDeparture(
        of refusal: Refusal, _ page: [UInt8], to connection: Connection, head: UnsafeRawBufferPointer?
    ) {
        guard let observer else { return }
        let head = head ?? UnsafeRawBufferPointer(start: nil, count: 0)
        var record = ExchangeRecord()
        record.client = ExchangeRecord.Client(connection.peer)
        record.line = RequestLine(scanning: head.bytes)
        record.began = now
        record.receivedCount = head.count
        record.note(refusal, sentCount: page.count)
        record.bodyCount = page.count - Self.headSize(of: page)
        record.fieldsOffset = page.count
        connection.departure = page.withUnsafeBytes {
            departures.begin(record, head: head, response: $0, observer, budget: memory)
        }
    }

    /// Bytes of a response up to its body.
    private static func headSize(of page: [UInt8]) -> Int {
        var size = 4
        while size < page.count, page[(size - 4)..<size] != [0x0D, 0x0A, 0x0D, 0x0A] { size += 1 }
        return size
    }

    /// Tells of a client that left before its request was complete: there is no response.
    private func tellOfCutBody(_ observer: any ExchangeObserver, _ connection: Connection, _ body: PartialBody) {
        let head = body.head.bytes
        var record = ExchangeRecord()
        record.client = ExchangeRecord.Client(connection.peer)
        record.line = RequestLine(scanning: head.bytes)
        record.wallSeconds = Clock.wallSeconds()
        record.began = now
        record.handedOver = now
        record.receivedCount = head.count + body.receipt.progress.received
        record.ending = .clientLeft
        observer.exchangeEnded(record, head: head, response: UnsafeRawBufferPointer(start: nil, count: 0))
    }

    func noteInvalid(_ connection: Connection, id: String) {
        if case .unix = connection.peer {
            note(.warning, "Invalid request from a unix socket: \(id).")
        } else {
            note(.warning, "Invalid request from ip=\(connection.peer.host): \(id).")
        }
    }

    /// Tells the log of a client that left in the middle of a body: the application never hears of such a request.
    func noteCutBody(of connection: Connection) {
        guard case .body(let body) = connection.phase else { return }
        if let observer { tellOfCutBody(observer, connection, body) }
        let (received, announced) = body.receipt.progress
        let client = if case .unix = connection.peer { "a unix socket" } else { "ip=\(connection.peer.host)" }
        note(
            .warning, within: &cutBodyLines,
            "The client of \(Self.request(body.head.bytes)) from \(client) left after \(received) of "
                + "\(announced.map { "\($0)" } ?? "an unknown number of") bytes of the body. It is not served.")
    }

    /// Method and target of a head that was parsed before, as much of them as a line in the log should hold, without
    /// the query, in which secrets travel.
    private static func request(_ head: UnsafeRawBufferPointer) -> String {
        let start = head.first == 0x0D ? 2 : 0
        let line = head.dropFirst(start).prefix { $0 != 0x0D }
        guard let end = line.lastIndex(of: 0x20) else { return "a request" }
        return String(decoding: line[..<end].prefix { $0 != UInt8(ascii: "?") }.prefix(256), as: UTF8.self)
    }
}
