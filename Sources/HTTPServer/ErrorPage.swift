internal import HTTPWire

/// What a client gets to see of a ``Refusal``.
///
/// It says the status and a stable identifier, never what was received. docs/errors.md lists the identifiers.
struct ErrorPage {
    let status: Int
    let id: String
    let isJSON: Bool

    private var reason: String { ReasonPhrase.of(status) ?? "Error" }

    private var body: String {
        isJSON
            ? "{\"status\": \(status), \"reason\": \"\(reason)\", \"id\": \"\(id)\"}\n"
            : """
            <!DOCTYPE html>
            <html lang="en">
            <head><title>\(status) \(reason)</title></head>
            <body><h1>\(status) \(reason)</h1><p>\(id)</p></body>
            </html>

            """
    }

    private var mediaType: String { isJSON ? "application/json" : "text/html; charset=utf-8" }

    /// Writes the complete response, in the place of whatever the writer has. It closes the connection, and is of
    /// version 1.1 whatever the request was: RFC 9110 §6.2 has a server send its own version.
    ///
    /// - Parameter isHead: the head alone, as though the body followed. RFC 9110 §9.3.2.
    /// - Returns: bytes of the body.
    func write(into head: inout ResponseHeadWriter, isHead: Bool, date: HTTPDate) -> Int {
        let body = Array(body.utf8)
        head.reset()
        do throws(ResponseFault) {
            try head.begin(status: Array("\(status) \(reason)".utf8).span.bytes)
            try head.append(name: Array("Content-Type".utf8).span.bytes, value: Array(mediaType.utf8).span.bytes)
            // What is scarce may be there again soon, RFC 9110 §10.2.3.
            if status == 503 {
                try head.append(name: Array("Retry-After".utf8).span.bytes, value: Array("10".utf8).span.bytes)
            }
        } catch {
            preconditionFailure("an error page that cannot be sent: \(error)")
        }
        head.finish(version: .http11, isPersistent: false, framing: .contentLength(body.count), date: date)
        if isHead { return 0 }
        head.appendBody(body.span.bytes)
        return body.count
    }
}
