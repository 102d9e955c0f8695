internal import HTTPWire
internal import Platform

/// A body on its way in: how much of it is still to come, and where it goes.
final class BodyReceipt {
    private enum Remainder {
        case length(Int)
        case chunked(ChunkedDecoder)
    }

    private var remainder: Remainder
    private var sink: BodySink
    /// Bytes since the deadline was set, the framing's included.
    private var recent = 0
    /// When enough had come for that, or the head.
    private(set) var lastProgress: Nanoseconds
    /// How much to read at a time.
    var piece: PieceSize
    /// Nothing of it has come.
    private var isUntouched = true

    init(length: Int, limits: BodyLimits, now: Nanoseconds) {
        remainder = .length(length)
        sink = BodySink(limits: limits)
        lastProgress = now
        piece = .plain
    }

    init(chunkedUnder policy: RequestPolicy, limits: BodyLimits, now: Nanoseconds) {
        remainder = .chunked(ChunkedDecoder(policy: policy))
        sink = BodySink(limits: limits)
        lastProgress = now
        piece = .chunked
    }

    /// One that another worker began.
    init(_ body: RequestBody, remaining: Int, recent: Int, limits: BodyLimits, lastProgress: Nanoseconds) {
        remainder = .length(remaining)
        sink = BodySink(body, limits: limits)
        self.recent = recent
        self.lastProgress = lastProgress
        piece = .plain
        isUntouched = false
    }

    /// What of it travels to another worker.
    enum Luggage {
        /// Its framing says all that there is to know.
        case nothing
        /// What has come, and bytes that are still to come.
        case part(RequestBody, remaining: Int, recent: Int)
        /// The middle of a framing cannot be told, nor what cannot be written.
        case stays
    }

    var luggage: Luggage {
        if isUntouched { return .nothing }
        guard case .length(let remaining) = remainder, remaining > 0, (try? sink.finish()) != nil else { return .stays }
        let body = sink.body
        if case .none = body { return .part(.memory(ByteStore()), remaining: remaining, recent: recent) }
        return .part(body, remaining: remaining, recent: recent)
    }

    /// Notes that bytes came. Whether they are enough to set the deadline anew.
    func makesProgress(_ count: Int, now: Nanoseconds) -> Bool {
        recent += count
        guard recent >= Timeouts.progress else { return false }
        recent = 0
        lastProgress = now
        return true
    }

    /// The body, once `take` said that it is complete.
    var body: RequestBody { sink.body }

    /// Bytes of the body that have come, and how many there should be, where that is known.
    var progress: (received: Int, announced: Int?) {
        let received = sink.count
        guard case .length(let left) = remainder else { return (received, nil) }
        return (received, received + left)
    }

    /// Takes what belongs to the body off the front of `bytes`.
    ///
    /// - Returns: bytes taken, and whether the body is complete.
    /// - Throws: `BodyReceiptFault`.
    func take(_ bytes: UnsafeRawBufferPointer) throws(BodyReceiptFault) -> (taken: Int, complete: Bool) {
        if bytes.count > 0 { isUntouched = false }
        switch remainder {
        case .length(let length):
            let taken = min(length, bytes.count)
            try store(UnsafeRawBufferPointer(rebasing: bytes[..<taken]))
            remainder = .length(length - taken)
            if taken == length { try finish() }
            return (taken, taken == length)
        case .chunked(var decoder):
            defer { remainder = .chunked(decoder) }
            var offset = 0
            while true {
                let step: ChunkedStep
                do throws(WireError) {
                    step = try decoder.next(bytes.bytes, from: offset)
                } catch {
                    throw .wire(error)
                }
                switch step {
                case .more:
                    return (bytes.count, false)
                case .data(let range):
                    let end = Int(range.start) + Int(range.count)
                    try store(UnsafeRawBufferPointer(rebasing: bytes[Int(range.start)..<end]))
                    offset = end
                case .end(let consumed):
                    try finish()
                    return (consumed, true)
                }
            }
        }
    }

    private func store(_ bytes: UnsafeRawBufferPointer) throws(BodyReceiptFault) {
        do throws(SystemError) {
            try sink.append(bytes)
        } catch {
            throw .spoolFailed(error)
        }
    }

    private func finish() throws(BodyReceiptFault) {
        do throws(SystemError) {
            try sink.finish()
        } catch {
            throw .spoolFailed(error)
        }
    }
}

enum BodyReceiptFault: Error {
    case wire(WireError)
    case spoolFailed(SystemError)
}
