internal import HTTPWire
internal import Platform

/// A body on its way in: how much of it is still to come, and where it goes.
///
/// What belongs into a file waits for its owner to bring it there: `beginWrite` is asked after each `take`. While the
/// disk has a block, nothing more is taken: so the client waits for the disk, and nobody else does.
final class BodyReceipt {
    private enum Remainder {
        case length(Int)
        case chunked(ChunkedDecoder)
    }

    private var remainder: Remainder
    private var sink = BodySink()
    /// What came behind the body, once that is complete.
    private var rest: ByteStore?
    private var write: SpoolWrite?
    private(set) var isComplete = false
    /// Bytes since the deadline was set, the framing's included.
    private var recent = 0
    /// When enough had come for that, or the head.
    private(set) var lastProgress: Nanoseconds
    /// How much to read at a time.
    var piece: PieceSize
    /// Nothing of it has come.
    private var isUntouched = true
    /// It was in memory, and is on its way to a file for nothing but to travel.
    private var isPacking = false
    /// That was tried in vain.
    private var cannotBePacked = false

    init(length: Int, now: Nanoseconds) {
        remainder = .length(length)
        lastProgress = now
        piece = .plain
    }

    init(chunkedUnder policy: RequestPolicy, now: Nanoseconds) {
        remainder = .chunked(ChunkedDecoder(policy: policy))
        lastProgress = now
        piece = .chunked
    }

    /// One that another worker began.
    init(_ body: RequestBody, remaining: Int, recent: Int, lastProgress: Nanoseconds) {
        remainder = .length(remaining)
        sink = BodySink(body)
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
        /// Some of it, or all, has to be brought to the disk before (`beginPacking`).
        case unwritten
        /// It is on its way there.
        case atDisk
        /// The middle of a framing cannot be told.
        case stays
    }

    /// - Parameter limit: bytes that may travel in memory.
    func luggage(atMost limit: Int) -> Luggage {
        if isUntouched { return .nothing }
        guard case .length(let remaining) = remainder, remaining > 0, !cannotBePacked else { return .stays }
        if isAtDisk { return .atDisk }
        if sink.mustBeWritten(over: limit) { return .unwritten }
        let body = sink.body
        if case .none = body { return .part(.memory(ByteStore()), remaining: remaining, recent: recent) }
        return .part(body, remaining: remaining, recent: recent)
    }

    // MARK: The disk

    /// The disk has a block.
    var isAtDisk: Bool { write != nil }

    /// Bytes in memory.
    var memoryCount: Int { sink.memoryCount + (write?.byteCount ?? 0) + (rest?.count ?? 0) }

    /// Takes what is to be brought to the disk before anything else happens.
    ///
    /// - Parameter isFast: there is more to read, and memory for it.
    func beginWrite(for connection: Connection, in spool: Spool, isFast: Bool) -> SpoolWrite? {
        guard write == nil, let (block, file) = takeBlock(isFast: isFast) else { return nil }
        write = SpoolWrite(block, to: file, for: connection, in: spool)
        return write
    }

    /// Takes what has to be on the disk before the body can travel. Where it cannot be written, and was all in memory,
    /// it stays there.
    func beginPacking(for connection: Connection, in spool: Spool) -> SpoolWrite? {
        isPacking = sink.moveToFile(in: spool)
        guard write == nil, let (block, file) = sink.takeBlock(atLeast: 1) else { return nil }
        write = SpoolWrite(block, to: file, for: connection, in: spool)
        return write
    }

    /// What is to be written next.
    func takeBlock(isFast: Bool = false) -> (block: ByteStore, file: SpoolFile)? {
        sink.takeBlock(atLeast: isComplete ? 1 : isFast ? BodySink.fastBlockSize : BodySink.blockSize)
    }

    /// The connection has come back from the disk.
    ///
    /// - Parameter isFast: there is more to read, and memory for it.
    /// - Throws: `SpoolFault`.
    func endWrite(now: Nanoseconds, isFast: Bool) throws(SpoolFault) {
        guard let written = write.take() else { return }
        lastProgress = now
        let wasPacking = isPacking
        isPacking = false
        if let fault = written.fault {
            guard wasPacking else { throw fault }
            sink.takeBack(written.block)
            cannotBePacked = true
            return
        }
        if isFast { sink.reuse(written.block) }
    }

    /// The client sends faster than is read, as far as the last piece tells.
    private(set) var isFlowing = false

    /// A piece came, or none.
    ///
    /// - Parameter flows: there is more behind it.
    func note(flows: Bool) {
        // Memory is kept for what there is alone.
        if isFlowing, !flows { sink.shrink() }
        isFlowing = flows
    }

    /// What came behind the body, for the next request.
    func takeRest() -> ByteStore? { rest.take() }

    // MARK: Bytes

    /// Notes that bytes came. Whether they are enough to set the deadline anew.
    func makesProgress(_ count: Int, now: Nanoseconds) -> Bool {
        recent += count
        guard recent >= Timeouts.progress else { return false }
        recent = 0
        lastProgress = now
        return true
    }

    /// The body, once it is complete and no write is left.
    var body: RequestBody { sink.body }

    /// Bytes of the body that have come, and how many there should be, where that is known.
    var progress: (received: Int, announced: Int?) {
        let received = sink.count
        guard case .length(let left) = remainder else { return (received, nil) }
        return (received, received + left)
    }

    /// Where the next bytes of the body may be put, so that nobody copies them, and no byte behind it; nil where they
    /// have to be looked at, or are few.
    func room(atMost size: Int) -> UnsafeMutableRawBufferPointer? {
        guard isFlowing, case .length(let length) = remainder, length > 0 else { return nil }
        return sink.room(min(length, size))
    }

    /// So many bytes were put into the room.
    func fill(_ count: Int) {
        guard case .length(let length) = remainder else { preconditionFailure("room that nobody gave") }
        isUntouched = false
        sink.fill(count)
        remainder = .length(length - count)
        isComplete = count == length
    }

    /// Takes bytes; those behind the body are kept for `takeRest`.
    ///
    /// - Parameters:
    ///   - memory: bytes of the body that may stay in memory.
    ///   - spool: where the others go.
    /// - Throws: `WireError`.
    func take(_ bytes: UnsafeRawBufferPointer, memory: Int, spool: Spool) throws(WireError) {
        if bytes.count > 0 { isUntouched = false }
        let taken: Int
        switch remainder {
        case .length(let length):
            taken = min(length, bytes.count)
            sink.append(UnsafeRawBufferPointer(rebasing: bytes[..<taken]), memory: memory, spool: spool)
            remainder = .length(length - taken)
            isComplete = taken == length
        case .chunked(var decoder):
            defer { remainder = .chunked(decoder) }
            taken = try take(bytes, decoder: &decoder, memory: memory, spool: spool)
        }
        if taken < bytes.count { rest = ByteStore(UnsafeRawBufferPointer(rebasing: bytes[taken...])) }
    }

    private func take(
        _ bytes: UnsafeRawBufferPointer, decoder: inout ChunkedDecoder, memory: Int, spool: Spool
    ) throws(WireError) -> Int {
        var offset = 0
        while true {
            switch try decoder.next(bytes.bytes, from: offset) {
            case .more: return bytes.count
            case .data(let range):
                let end = Int(range.start) + Int(range.count)
                sink.append(
                    UnsafeRawBufferPointer(rebasing: bytes[Int(range.start)..<end]), memory: memory, spool: spool)
                offset = end
            case .end(let consumed):
                isComplete = true
                return consumed
            }
        }
    }
}
