internal import HTTPServer
internal import PythonBridge
internal import Transport

/// Connections that become the application's (`gunicorn.socket`).
extension Response {
    /// Makes the connection the application's: what was written so far leaves first, and nothing follows it.
    ///
    /// What `start_response` and the result say from here on is judged as ever, and sent nowhere: for the writer, the
    /// client is gone.
    ///
    /// - Returns: a `bytes` of what was read behind the request; nil when there is no connection to give.
    /// - Throws: `PythonError` when a signal handler raised while the client was waited for; nothing is given then.
    func surrender(_ gil: inout GIL) throws(PythonError) -> PyRef? {
        try sendAllPending(&gil)
        // Other threads ran meanwhile: the request may have ended, or another one have taken the connection.
        guard let connection, !isSurrendered else { return nil }
        let rest = connection.surrender()
        isSurrendered = true
        stream?.isReleased = true
        writer.lose()
        return try gil.makeBytes(count: rest.count) { target in
            target.copyBytes(from: rest)
            return rest.count
        }
    }
}
