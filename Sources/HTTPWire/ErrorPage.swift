/// A complete response for a request that is refused, or that the application failed to answer.
///
/// It says the status and a stable identifier, never what was received. docs/errors.md lists the identifiers.
public enum ErrorPage {
    /// The response to a client's fault.
    public static func response(to error: WireError, for audience: ErrorAudience, date: HTTPDate) -> [UInt8] {
        response(status: error.status, id: error.id, for: audience, date: date)
    }

    /// A response of the server's own, for example 500 for an application that raised.
    ///
    /// - Parameter id: a fixed identifier in lower case and hyphens.
    public static func response(status: Int, id: String, for audience: ErrorAudience, date: HTTPDate) -> [UInt8] {
        precondition((100...999).contains(status))
        let reason = ReasonPhrase.of(status) ?? "Error"
        let body =
            audience.prefersJSON
            ? "{\"status\": \(status), \"reason\": \"\(reason)\", \"id\": \"\(id)\"}\n"
            : """
            <!DOCTYPE html>
            <html lang="en">
            <head><title>\(status) \(reason)</title></head>
            <body><h1>\(status) \(reason)</h1><p>\(id)</p></body>
            </html>

            """
        let head =
            "HTTP/1.1 \(status) \(reason)\r\nServer: monoceros\r\nDate: \(date)\r\nConnection: close\r\n"
            + "Content-Type: \(audience.prefersJSON ? "application/json" : "text/html; charset=utf-8")\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n"
        // RFC 9110 §9.3.2: to HEAD, the head alone, as though the body followed.
        return Array((audience.isHead ? head : head + body).utf8)
    }
}
