public import HTTPWire

/// Responses that do not end as their application meant them to.
extension ResponseWriter {
    /// Answers with an error page in the place of the application. Once the head is committed it is too late: then the
    /// response is cut, and the client sees that it is not whole.
    ///
    /// - Returns: the page; nothing where it is too late, or the client is gone.
    public mutating func refuse(_ refusal: Refusal, date: HTTPDate) -> ResponseRuns {
        guard state == .waiting || state == .started else {
            cut()
            return .none
        }
        bodyCount = refusal.write(into: &head, date: date)
        self.refusal = refusal
        persists = false
        state = .refused
        handedCount &+= head.byteCount
        return ResponseRuns(first: head.bytes)
    }

    /// Nothing more of the response is sent: its application failed, or the process ends. The connection must close.
    public mutating func cut() {
        switch state {
        case .idle, .short, .refused, .lost: break
        case .waiting, .started, .committed, .sending, .complete, .cut: state = .cut
        }
    }

    /// A file that the kernel sends had fewer bytes than it was said to have.
    ///
    /// - Parameter waiting: bytes that were handed out and cannot be sent.
    public mutating func cutShort(waiting: Int) {
        switch state {
        case .committed(.length(let remaining)), .sending(.length(let remaining)):
            state = .short(missing: remaining &+ waiting)
        default: lose()
        }
        lostCount &+= waiting
    }

    /// The client is gone, or took nothing for too long.
    ///
    /// - Parameter unsent: bytes that were handed out and did not leave.
    public mutating func lose(unsent: Int = 0) {
        lostCount &+= unsent
        switch state {
        case .idle, .short, .lost: break
        case .waiting: state = .lost(.waiting)
        case .started: state = .lost(.started)
        case .committed, .sending, .complete, .refused, .cut: state = .lost(.committed)
        }
    }
}
