internal import HTTPServer
public import HTTPWire
public import Platform

/// A body that the application reads while the client sends it (`stream_request_body`).
///
/// It goes with its connection to the runner, and back to the reactor for what the application left unread. It reads
/// the socket when bytes are asked for and none are at hand, one buffer at a time: the client is held up by TCP
/// meanwhile. It never waits; who uses it waits for the socket.
public final class BodyStream {
    /// Why the rest of the body will not come.
    public enum Fault: Equatable, Sendable {
        case wire(WireError)
        /// The client left before the end.
        case disconnected
    }

    public enum Supply: Equatable, Sendable {
        /// `available` has some.
        case bytes
        /// The body is complete, and all of it was consumed.
        case end
        /// The socket has to become readable first.
        case wait
        case failed(Fault)
    }

    private enum Remainder {
        case length(Int)
        case chunked(ChunkedDecoder)
    }

    /// It is there for as long as the stream is not released.
    private unowned let connection: Connection
    /// The connection's: a thread of the application may still wait when the request ends.
    private let channel: Channel
    /// Set when the request is over: the application may have kept the stream, but the connection is not its any more.
    public var isReleased = false
    public private(set) var fault: Fault?

    private var remainder: Remainder
    private var buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// The bytes of `buffer` that were not decoded yet.
    private var pending = 0..<0
    /// The bytes of `buffer` that were, and wait to be consumed.
    private var ready = 0..<0
    private var sawEnd = false

    private let timeout: Nanoseconds
    /// How long the application has waited for the client since it last made progress.
    private var waited: Nanoseconds = 0
    /// Bytes since then.
    private var recent = 0

    private static let capacity = 65_536

    /// - Parameters:
    ///   - connection: what the body comes on.
    ///   - framing: `length` or `chunked`.
    ///   - early: what came of the body with the head, and with chunks perhaps of what follows it; copied.
    ///   - timeout: `Timeouts.body`, counted while the application waits: what it does not ask for is not late.
    init(
        of connection: Connection, framing: BodyFraming, early: UnsafeRawBufferPointer,
        policy: RequestPolicy, timeout: Nanoseconds
    ) {
        self.connection = connection
        channel = connection.channel
        self.timeout = timeout
        switch framing {
        case .none: remainder = .length(0)
        case .length(let length): remainder = .length(length)
        case .chunked: remainder = .chunked(ChunkedDecoder(policy: policy))
        }
        sawEnd = framing == .none || framing == .length(0)
        if early.count > 0 {
            buffer = .allocate(byteCount: max(early.count, Self.capacity), alignment: 16)
            buffer.copyMemory(from: early)
            pending = 0..<early.count
        }
    }

    deinit {
        buffer.deallocate()
    }

    /// Waits for the client to send more, or to leave. For a thread that keeps nobody waiting meanwhile.
    ///
    /// - Parameter milliseconds: the longest wait. A signal ends it early.
    public func waitUntilReadable(milliseconds: Int32) {
        _ = channel.waitUntilReadable(milliseconds: milliseconds)
    }

    /// Body at hand, valid until the next call.
    public var available: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[ready]) }

    public func consume(_ count: Int) {
        precondition(count >= 0 && count <= ready.count)
        ready = ready.lowerBound + count..<ready.upperBound
    }

    /// Whether the framing's end has come. What is `available` may still be unread.
    public var isComplete: Bool { sawEnd }

    /// What came behind the end of a complete body.
    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[pending]) }

    /// Makes body available, from what has come or from the socket.
    public func supply() -> Supply {
        while true {
            if !ready.isEmpty { return .bytes }
            if sawEnd { return .end }
            if let fault { return .failed(fault) }
            if !pending.isEmpty {
                decode()
            } else if !fill() {
                guard timeout > 0, waited >= timeout else { return .wait }
                fault = .wire(WireError(.bodyTimeout))
            }
        }
    }

    /// Adds the time of a wait.
    public func noteWaited(_ duration: Nanoseconds) {
        waited += duration
        observer?.noteClientWait(duration)
    }

    /// Hears of each wait for the client.
    public var observer: (any ClientWaitObserver)?

    /// How long to wait before `supply` must be asked again.
    public var patience: Nanoseconds { timeout == 0 ? .max : timeout - min(waited, timeout) }

    /// The response begins: an interim one must not follow. Whether the client was left waiting, so that nobody knows
    /// whether the body will come: RFC 9110 §10.1.1.
    public func cancelContinue() -> Bool {
        connection.session.cancelContinue()
    }

    private func decode() {
        switch remainder {
        case .length(let length):
            let taken = min(length, pending.count)
            ready = pending.lowerBound..<pending.lowerBound + taken
            pending = ready.upperBound..<pending.upperBound
            remainder = .length(length - taken)
            sawEnd = taken == length
        case .chunked(var decoder):
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<pending.upperBound])
            do throws(WireError) {
                switch try decoder.next(bytes.bytes, from: pending.lowerBound) {
                case .more:
                    pending = 0..<0
                case .data(let range):
                    ready = range.offsets
                    pending = ready.upperBound..<pending.upperBound
                case .end(let consumed):
                    pending = consumed..<pending.upperBound
                    sawEnd = true
                }
            } catch {
                fault = .wire(error)
            }
            remainder = .chunked(decoder)
        }
    }

    /// Reads what the socket has. False when it has nothing.
    private func fill() -> Bool {
        // The client may wait for it before it sends the first bytes.
        if connection.session.takeContinue() { InterimResponse.sendContinue(on: connection) }
        if buffer.count == 0 { buffer = .allocate(byteCount: Self.capacity, alignment: 16) }
        var wanted = buffer.count
        // What follows the body stays in the socket where that can be known.
        if case .length(let length) = remainder { wanted = min(wanted, length) }
        guard
            let result = try? channel.receive(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
        else {
            fault = .disconnected
            return true
        }
        guard case .processed(let count) = result else { return false }
        guard count > 0 else {
            fault = .disconnected
            return true
        }
        pending = 0..<count
        recent += count
        if recent >= Timeouts.progress {
            recent = 0
            waited = 0
        }
        return true
    }
}

/// What is sent before a final response.
enum InterimResponse {
    static func sendContinue(on connection: Connection) {
        let text: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"
        let line = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        // Behind early hints that the client has not taken.
        if connection.queueBehindPending(copying: line) { return }
        // Too small not to fit an empty send buffer; a client that left is noticed by the next read.
        _ = try? connection.channel.send(line)
    }
}
