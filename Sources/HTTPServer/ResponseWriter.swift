public import HTTPWire

/// One response at a time, from status and fields to the last byte: what may be said when, and where the body ends.
///
/// It sends nothing: each step returns the runs of bytes to send (``ResponseRuns``). It is reused for one request after
/// the other, and allocates only where a head is unusually large.
///
/// ```
///  idle ──begin──► waiting ──finishStart──► started ──commit──► committed ──add──► sending ──complete──► complete
///                     ▲                        │                    └───────complete──────►  or short
///                     └───────beginStart───────┘
///
///  waiting, started ──refuse──► refused         an error page took the response's place
///  any of the others ──cut──► cut               given up by the server: what follows is not to be trusted
///  committed, sending ──cutShort──► short       less came than the head promised
///  any but short ──lose──► lost                 the client is gone
///  any ──end──► idle
/// ```
///
/// The order of calls is `begin`, then `beginStart`, `append` for each field and `finishStart`, which may be repeated
/// until the head is committed; then `commit`, `add` for each block, `complete`; and `end`.
public struct ResponseWriter: ~Copyable {
    /// Where the body ends. RFC 9112 §6.3.
    public enum BodyEnd: Equatable, Sendable {
        /// There is no body.
        case none
        /// After this many bytes more.
        case length(Int)
        case chunked
        /// With the connection.
        case untilClose
    }

    /// How far a response had come when its client left. The application does not know yet, and the rules of
    /// `start_response` go on.
    public enum Stage: Equatable, Sendable {
        case waiting, started, committed
    }

    public enum State: Equatable, Sendable {
        /// Between requests.
        case idle
        /// Nothing is known of the response.
        case waiting
        /// Status and fields are written, and may still be replaced.
        case started
        /// The head is finished, and leaves with the first block.
        case committed(BodyEnd)
        /// The head is handed over, and the body is on its way.
        case sending(BodyEnd)
        /// All is handed over.
        case complete
        /// The body ended before its length: this many bytes never come.
        case short(missing: Int)
        /// An error page was handed over.
        case refused
        /// The response ended in the middle, or its application failed behind its end.
        case cut
        /// The client is gone, or took nothing for too long.
        case lost(Stage)
    }

    /// Blocks up to this size, in bytes, are copied behind the head or into a chunk, and leave as one run.
    public static let copyLimit = 4096

    public internal(set) var state = State.idle
    /// Bytes of the body that the head promised; 0 where it promised none.
    public internal(set) var promisedCount = 0
    /// Bytes handed out to be sent, heads and framing included.
    public internal(set) var handedCount = 0
    /// How many of them were given up.
    public internal(set) var lostCount = 0
    /// Bytes of the body among those handed out, without framing.
    public internal(set) var bodyCount = 0
    /// What was answered in the place of the application; nil unless ``State/refused``.
    public internal(set) var refusal: Refusal?

    var request = RequestTraits(isHead: false, version: .http11, mayPersist: false)
    /// Whether the head says that the connection stays open.
    var persists = false
    @usableFromInline
    var head = ResponseHeadWriter()
    /// A chunk, once the head has left: the size line, and a small block with its end.
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunkCapacity, alignment: 16)

    static let chunkCapacity = ChunkFraming.sizeLineLimit + copyLimit + 2

    public init() {}

    deinit {
        chunk.deallocate()
    }

    /// A request waits for its response.
    public mutating func begin(_ request: RequestTraits) {
        self.request = request
        persists = request.mayPersist
        state = .waiting
        promisedCount = 0
        handedCount = 0
        lostCount = 0
        bodyCount = 0
        refusal = nil
        head.reset()
    }

    /// The request is over. The counts can be read until the next begins.
    public mutating func end() { state = .idle }

    // MARK: Status and fields

    /// Why status and fields are not taken.
    public enum StartRule: Equatable, Sendable {
        case allowed
        /// The request is over.
        case ended
        /// They stand already, and no failure is the reason to replace them.
        case alreadyStarted
        /// They have left.
        case tooLate
    }

    /// Whether status and fields may be given now. PEP 3333, "The start_response() Callable".
    ///
    /// - Parameter afterFailure: whether they take the place of earlier ones, since the application failed
    ///   (`exc_info`).
    public func startRule(afterFailure: Bool) -> StartRule {
        switch state {
        case .idle: .ended
        case .waiting, .lost(.waiting): .allowed
        case .started, .lost(.started): afterFailure ? .allowed : .alreadyStarted
        default: afterFailure ? .tooLate : .alreadyStarted
        }
    }

    /// Begins the head, or begins it anew. Until ``finishStart()``, nothing of it counts.
    ///
    /// - Parameter status: `ddd` or `ddd reason`, Latin-1.
    public mutating func beginStart(status: RawSpan) throws(ResponseFault) {
        switch state {
        case .waiting, .started: state = .waiting
        case .lost(.waiting), .lost(.started): state = .lost(.waiting)
        default: preconditionFailure("startRule() comes before beginStart()")
        }
        head.reset()
        try head.begin(status: status)
    }

    /// Adds a field: see `ResponseHeadWriter.append`.
    @inlinable
    public mutating func append(name: RawSpan, value: RawSpan) throws(ResponseFault) {
        try head.append(name: name, value: value)
    }

    /// All fields are there.
    ///
    /// - Throws: `ResponseFault.interimStatus` for a 1xx status, which is never the last one: the client goes on
    ///   waiting, and would take the answer to its next request for the one to this. The exception is 101, behind which
    ///   the connection is not HTTP any more. RFC 9110 §15.2.
    public mutating func finishStart() throws(ResponseFault) {
        if head.statusCode < 200 {
            guard head.statusCode == 101, request.version == .http11 else { throw .interimStatus }
        }
        switch state {
        case .waiting: state = .started
        case .lost(.waiting): state = .lost(.started)
        default: preconditionFailure("beginStart() comes before finishStart()")
        }
    }

    // MARK: Looking at it

    /// The finished head, and what was copied behind it; empty before `commit`. Valid until the next call that writes.
    public var headBytes: UnsafeRawBufferPointer {
        isCommitted ? head.bytes : UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// Where the application's own fields begin in ``headBytes``: at its end in an error page, which has none of them.
    var fieldsOffset: Int {
        guard isCommitted else { return 0 }
        return state == .refused || refusal != nil ? head.byteCount : head.fieldsOffset
    }

    /// The application said how long its response is.
    var hasGivenLength: Bool { head.contentLength != nil && refusal == nil }

    /// The application's status, 100...999, or that of the error page; 0 while there is none.
    public var status: Int { refusal?.status ?? (isStarted ? head.statusCode : 0) }

    /// Status and fields are there.
    @inlinable
    public var isStarted: Bool {
        switch state {
        case .idle, .waiting, .lost(.waiting): false
        default: true
        }
    }

    /// The head is finished, and cannot be changed any more.
    @inlinable
    public var isCommitted: Bool {
        switch state {
        case .idle, .waiting, .started, .lost(.waiting), .lost(.started): false
        default: true
        }
    }

    /// The client is gone.
    @inlinable
    public var isLost: Bool {
        if case .lost = state { return true }
        return false
    }

    /// All of it is handed over.
    @inlinable
    public var isComplete: Bool {
        if case .complete = state { return true }
        return false
    }

    /// Whether more of the body would be sent.
    @inlinable
    public var wantsMore: Bool {
        switch state {
        case .waiting, .started: true
        case .committed(let end), .sending(let end): end != .none && end != .length(0)
        default: false
        }
    }

    /// Whether the connection can serve another request: the response is whole, and its head said so.
    public var leavesConnectionOpen: Bool { isComplete && persists }
}
