internal import HTTPServer
internal import HTTPWire
internal import Platform
internal import Telemetry

/// Requests that the server answers itself.
extension Reactor {
    /// Answers a complete request that asks for the server's health, whether a runner is free or not.
    ///
    /// - Returns: false for what is the application's.
    func answersHealth(_ connection: Connection, _ endpoint: HealthEndpoint, on bench: Workbench) -> Bool {
        guard let question = endpoint.question(bench.bytes(bench.parser.head.path)) else { return false }
        guard case .running(let request) = connection.phase else { return false }
        let method = bench.parser.head.knownMethod
        // Nothing that a worker is replaced for after so many.
        requestCount &-= 1
        let exchange = Exchange(connection, request, on: bench, began: now)
        if method != .get && method != .head {
            Self.answer(
                exchange, OwnAnswer("405 Method Not Allowed", allow: "GET, HEAD"), "method not allowed\n",
                mayPersist: !isClosing)
        } else if question == .health {
            Self.answer(exchange, OwnAnswer("200 OK"), "ok\n", mayPersist: !isClosing)
        } else {
            // This worker may leave while others stay: its connections are to go to them.
            let readiness = isClosing ? Readiness.draining : endpoint.readiness()
            var text = TextBuffer(capacity: 64)
            text.append(readiness.name)
            text.append(UInt8(ascii: "\n"))
            exchange.answer(
                OwnAnswer(readiness == .ready ? "200 OK" : "503 Service Unavailable"), body: text.bytes,
                mayPersist: !isClosing)
        }
        finish(exchange.end())
        return true
    }

    private static func answer(
        _ exchange: borrowing Exchange, _ answer: OwnAnswer, _ text: StaticString, mayPersist: Bool
    ) {
        let body = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        exchange.answer(answer, body: body, mayPersist: mayPersist)
    }
}
