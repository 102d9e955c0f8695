internal import HTTPServer
public import HTTPWire
internal import Platform

/// A response that the server makes itself, for a request that no runner gets.
public struct OwnAnswer {
    /// `ddd reason`.
    public var status: StaticString
    public var contentType: StaticString
    /// For 405: the methods that there are.
    public var allow: StaticString?

    public init(
        _ status: StaticString, contentType: StaticString = "text/plain; charset=utf-8", allow: StaticString? = nil
    ) {
        self.status = status
        self.contentType = contentType
        self.allow = allow
    }
}

extension Exchange {
    /// The value of the first field of a kind; nil where there is none. Valid until the exchange ends.
    public func field(_ kind: FieldKind) -> UnsafeRawBufferPointer? {
        for place in 0..<bench.parser.head.fields.count where bench.parser.head.fields[place].kind == kind {
            return bytes(bench.parser.head.fields[place].value)
        }
        return nil
    }

    /// Sends a whole response. What the socket does not take waits in the outbox, as a copy, for the reactor to send:
    /// nobody waits for the client here.
    ///
    /// - Parameters:
    ///   - body: bytes; left out where the request is a HEAD.
    ///   - mayPersist: false has the connection end behind it.
    public func answer(_ answer: OwnAnswer, body: UnsafeRawBufferPointer, mayPersist: Bool) {
        writer.begin(traits)
        do throws(ResponseFault) {
            try writer.beginStart(status: answer.status.bytes.span.bytes)
            try writer.append(name: Array("Content-Type".utf8).span.bytes, value: answer.contentType.bytes.span.bytes)
            try writer.append(name: Array("Cache-Control".utf8).span.bytes, value: Array("no-store".utf8).span.bytes)
            if let allow = answer.allow {
                try writer.append(name: Array("Allow".utf8).span.bytes, value: allow.bytes.span.bytes)
            }
            try writer.finishStart()
        } catch {
            preconditionFailure("an answer of the server's own that cannot be sent: \(error)")
        }
        writer.commit(
            total: body.count, mayPersist: mayPersist, date: HTTPDate(unixSeconds: Int(Clock.wallSeconds())))
        send(writer.add(body))
        send(writer.complete())
    }

    private func send(_ runs: ResponseRuns) {
        guard runs.count > 0 else { return }
        // Copies have no owner who would come back.
        var releases: [UnsafeMutableRawPointer] = []
        do throws(OutputFailure) {
            try output.transmit(
                runs.first, runs.body, runs.last, owner: nil, releasing: &releases, retaining: { _ in })
        } catch {
            writer.lose(unsent: error.unsentCount)
        }
    }
}

extension StaticString {
    fileprivate var bytes: [UInt8] {
        Array(UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount))
    }
}
