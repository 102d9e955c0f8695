internal import HTTPWire
internal import Platform
internal import PythonBridge
internal import Transport

/// A body that is read while the client sends it. All but the waiting is done with the lock held, so threads of the
/// application may share it.
///
/// Whatever ends the body before its end raises: never is part of one taken for the whole.
final class LiveInput {
    private let stream: BodyStream
    /// What came for a call that is not content yet. It stays here when the call is left by an exception, for instance
    /// of a signal handler: the next one goes on where it was.
    private let gathered = ByteStore()
    /// How often bytes left `gathered`: what another thread took is no more where a search had come to.
    private var takings = 0
    /// Until when waiting has been told to the stream: threads that wait together wait once.
    private var waitedUntil: Nanoseconds = 0
    /// Whether somebody was told that the application waits for its client.
    private var isWaiting = false

    init(_ stream: BodyStream) {
        self.stream = stream
    }

    /// `limit` bytes, or fewer at the end of the body; all of it for nil.
    func read(_ limit: Int?, _ gil: inout GIL) throws(PythonError) -> PyRef {
        try checkOpen(gil)
        let wanted = limit ?? .max
        if gathered.count == 0, stream.available.count >= wanted { return try takeAvailable(wanted, gil) }
        gathering: while gathered.count < wanted {
            switch try look(&gil) {
            case .bytes: gather(wanted - gathered.count)
            case .end: break gathering
            case .waited: continue
            }
        }
        return try takeGathered(min(wanted, gathered.count), gil)
    }

    /// Up to and including the next line feed, and not more than `limit` bytes.
    func readLine(_ limit: Int?, _ gil: inout GIL) throws(PythonError) -> PyRef {
        try checkOpen(gil)
        let longest = limit ?? .max
        if gathered.count == 0, let length = Bytes.endOfLine(stream.available), length <= longest {
            return try takeAvailable(length, gil)
        }
        var searched = 0
        var seen = takings
        while true {
            if takings != seen {
                searched = 0
                seen = takings
            }
            let found = Bytes.endOfLine(UnsafeRawBufferPointer(rebasing: gathered.bytes[searched...]))
            let length = min(found.map { searched + $0 } ?? gathered.count, longest)
            if found != nil || length == longest { return try takeGathered(length, gil) }
            searched = gathered.count
            switch try look(&gil) {
            case .bytes: gather(min(Bytes.endOfLine(stream.available) ?? .max, longest - gathered.count))
            case .end: return try takeGathered(gathered.count, gil)
            case .waited: continue
            }
        }
    }

    /// - Throws: `PythonError` (ValueError) when the request is over.
    private func checkOpen(_ gil: borrowing GIL) throws(PythonError) {
        if stream.isReleased { throw gil.raise(.valueError, "wsgi.input was read after the request had ended") }
    }

    private func gather(_ limit: Int) {
        let part = UnsafeRawBufferPointer(rebasing: stream.available.prefix(limit))
        gathered.append(part)
        stream.consume(part.count)
    }

    private func takeAvailable(_ count: Int, _ gil: borrowing GIL) throws(PythonError) -> PyRef {
        let bytes = try gil.makeBytes(UnsafeRawBufferPointer(rebasing: stream.available.prefix(count)))
        stream.consume(count)
        return bytes
    }

    private func takeGathered(_ count: Int, _ gil: borrowing GIL) throws(PythonError) -> PyRef {
        let bytes = try gil.makeBytes(UnsafeRawBufferPointer(rebasing: gathered.bytes.prefix(count)))
        gathered.removeFirst(count)
        takings &+= 1
        return bytes
    }

    private enum Look {
        /// Some of the body is available.
        case bytes
        case end
        /// There was none, and other threads ran meanwhile: what they gathered and took is to be looked at first.
        case waited
    }

    /// Looks once for more of the body, and waits for a while where there is none.
    ///
    /// - Throws: `PythonError` when the body is not going to be complete, or when a signal handler raised.
    private func look(_ gil: inout GIL) throws(PythonError) -> Look {
        switch stream.supply() {
        case .bytes:
            noteWaiting(false)
            return .bytes
        case .end:
            noteWaiting(false)
            return .end
        case .failed(let fault):
            noteWaiting(false)
            throw raise(fault, gil)
        case .wait: noteWaiting(true)
        }
        let stream = stream
        let slice = Int32(min(Self.waitSlice, stream.patience / 1_000_000 + 1))
        let start = Clock.now()
        gil.released { stream.waitUntilReadable(milliseconds: slice) }
        // The request may have ended meanwhile, and the socket may be another's.
        try checkOpen(gil)
        let end = Clock.now()
        stream.noteWaited(end - max(start, waitedUntil))
        waitedUntil = end
        do throws(PythonError) {
            try gil.checkSignals()
        } catch {
            noteWaiting(false)
            throw error
        }
        try checkOpen(gil)
        return .waited
    }

    /// Tells that the application waits for its client, once for however many looks that takes, or that it goes on.
    private func noteWaiting(_ waits: Bool) {
        guard waits != isWaiting else { return }
        isWaiting = waits
        stream.observer?.clientWait(since: waits ? Clock.now() : nil)
    }

    /// Milliseconds between two looks after signals.
    private static let waitSlice: Nanoseconds = 1000

    /// All of them are OSError: what frameworks take for a client that left.
    private func raise(_ fault: BodyStream.Fault, _ gil: borrowing GIL) -> PythonError {
        switch fault {
        case .disconnected: gil.raise(.connectionResetError, Self.message(of: fault))
        case .wire(let error) where error.fault == .bodyTimeout: gil.raise(.timeoutError, Self.message(of: fault))
        case .wire: gil.raise(.osError, Self.message(of: fault))
        }
    }

    private static func message(of fault: BodyStream.Fault) -> String {
        switch fault {
        case .disconnected: "the client left before the request body was complete"
        case .wire(let error): "the request body cannot be read: \(error.id)"
        }
    }

    /// Whether an OSError is the one that a fault raised, or what a framework made of it: Django's, for one, has
    /// another type and the same text. One that came of something else must not be lost.
    static func isCause(
        _ fault: BodyStream.Fault, of exception: borrowing PythonException, _ gil: borrowing GIL
    ) -> Bool {
        gil.message(of: exception) == message(of: fault)
    }
}
