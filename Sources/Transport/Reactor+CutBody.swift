internal import Platform

/// Requests whose client left in the middle of the body.
extension Reactor {
    /// Tells the log, where a body was under way: the application never hears of such a request.
    func noteCutBody(of connection: Connection) {
        guard case .body(let receipt) = connection.phase, let head = connection.input?.bytes else { return }
        let (received, announced) = receipt.progress
        let client = if case .unix = connection.peer { "a unix socket" } else { "ip=\(connection.peer.host)" }
        note(
            .warning,
            "The client of \(Self.request(head)) from \(client) left after \(received) of "
                + "\(announced.map { "\($0)" } ?? "an unknown number of") bytes of the body. It is not served.")
    }

    /// Method and target of a head that was parsed before, as much of them as a line in the log should hold.
    private static func request(_ head: UnsafeRawBufferPointer) -> String {
        let start = head.first == 0x0D ? 2 : 0
        let line = head.dropFirst(start).prefix { $0 != 0x0D }
        guard let end = line.lastIndex(of: 0x20) else { return "a request" }
        return String(decoding: line[..<end].prefix(256), as: UTF8.self)
    }
}
