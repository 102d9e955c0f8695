internal import HTTPWire
internal import Platform
internal import PythonBridge
internal import Transport

/// One request's response: what `start_response` was told, and how much of it is sent.
///
/// ```
///   begin ──► waiting ──start_response──► started ──first block──► committed ──► end
///                            ▲  │ with exc_info
///                            └──┘
/// ```
final class Response {
    /// Where the body ends.
    enum Framing: Equatable {
        /// There is none.
        case none
        /// After this many bytes more.
        case length(Int)
        case chunked
        case untilClose
    }

    /// The connection to answer on; nil between requests.
    private(set) var connection: Connection?
    /// The request's body, if the application reads it from the socket.
    private(set) var stream: BodyStream?
    var head = ResponseHeadWriter()
    private(set) var isStarted = false
    /// The head is finished: it can't be changed any more.
    var isCommitted = false
    /// The head has left for the socket.
    var headIsSent = false
    /// Where small chunks are put together.
    var chunk: [UInt8] = []
    /// The client is gone, or took nothing for too long.
    var isBroken = false
    /// The body was cut or came out short: what follows on this connection would be taken for the rest of it.
    var isAborted = false
    var framing = Framing.none
    /// Bytes of the body that the head promises, and how many of them will never come.
    var promisedCount = 0
    var missingCount = 0
    /// Bytes handed to the socket or the outbox, head and framing included, and how many of them were given up.
    var handedCount = 0
    var lostCount = 0
    var persists = false
    private(set) var isHead = false
    var mayDefer = false
    private(set) var version = HTTPVersion.http11
    let state: WorkerState
    /// In which the client must take `Timeouts.progress` bytes, in nanoseconds; 0 is for ever.
    let writeTimeout: Nanoseconds
    /// Hears how long a wait for the client took, in nanoseconds: that is no time of the application's.
    let noteClientWait: (Nanoseconds) -> Void
    private var dateSecond: Int64 = -1
    private var date = HTTPDate(unixSeconds: 0)

    /// Bytes that may wait for the client before the application is held up (`response_buffer`).
    let bufferLimit: Int

    init(
        state: WorkerState, writeTimeout: Nanoseconds, bufferLimit: Int,
        noteClientWait: @escaping (Nanoseconds) -> Void
    ) {
        self.state = state
        self.noteClientWait = noteClientWait
        self.writeTimeout = writeTimeout
        self.bufferLimit = bufferLimit
    }

    /// - Parameters:
    ///   - mayPersist: whether client and configuration let the connection stay open.
    ///   - mayDefer: whether it may wait in the outbox if it is small.
    func begin(_ connection: Connection, isHead: Bool, version: HTTPVersion, mayPersist: Bool, mayDefer: Bool) {
        self.connection = connection
        self.isHead = isHead
        self.version = version
        persists = mayPersist
        self.mayDefer = mayDefer
        if case .stream(let stream) = connection.body {
            self.stream = stream
            stream.onWait = noteClientWait
            // The client may wait for the response before it sends the rest of the body, and the application for that.
            self.mayDefer = false
        }
        isStarted = false
        isCommitted = false
        headIsSent = false
        isBroken = false
        isAborted = false
        missingCount = 0
        handedCount = 0
        lostCount = 0
        framing = .none
        head.reset()
    }

    /// Cuts the ties to the request: callables that the application kept do nothing from here on.
    func end() {
        connection = nil
        if let stream {
            stream.isReleased = true
            self.stream = nil
        }
    }

    /// Bytes that the kernel has taken, head and framing included.
    var sentCount: Int { handedCount - lostCount - (connection?.pendingOutputCount ?? 0) }

    /// Whether more of the body would be sent.
    var wantsMore: Bool { !isBroken && !(isCommitted && (framing == .none || framing == .length(0))) }

    /// `Date`, made anew once a second.
    func currentDate() -> HTTPDate {
        let second = Clock.wallSeconds()
        if second != dateSecond {
            dateSecond = second
            date = HTTPDate(unixSeconds: Int(second))
        }
        return date
    }

    // MARK: start_response

    /// PEP 3333, "The start_response() Callable".
    ///
    /// - Throws: `PythonError`: AssertionError for a second call, TypeError or ValueError for what cannot be sent, or the
    ///   exception in `exc_info` when it is too late to change the response.
    func start(
        status: PyPointer, headers: PyPointer, exceptionInfo: PyPointer?, _ gil: borrowing GIL
    ) throws(PythonError) {
        guard connection != nil else {
            throw gil.raise(.runtimeError, "start_response() was called after the request had ended")
        }
        if let exceptionInfo, exceptionInfo != gil.none() {
            guard !isCommitted else {
                guard gil.isTuple(exceptionInfo), gil.count(exceptionInfo) == 3,
                    let error = gil.reraise(
                        type: try gil.item(exceptionInfo, 0), value: try gil.item(exceptionInfo, 1),
                        traceback: try gil.item(exceptionInfo, 2))
                else { throw gil.raise(.typeError, "exc_info must be a tuple as sys.exc_info() returns it") }
                throw error
            }
        } else if isStarted {
            throw gil.raise(.assertionError, "start_response() was called a second time without exc_info")
        }
        isStarted = false
        head.reset()
        do throws(PythonError) {
            try setStatus(status, gil)
            try setFields(headers, gil)
            try checkInterim(gil)
        } catch {
            // Half a head must not be sent.
            head.reset()
            throw error
        }
        isStarted = true
    }

    /// A response with a 1xx status is never the last one: the client goes on waiting, and would take the answer to its next
    /// request for the one to this. The exception is 101, behind which the connection is not HTTP any more. RFC 9110 §15.2.
    @inline(__always)
    private func checkInterim(_ gil: borrowing GIL) throws(PythonError) {
        guard head.statusCode < 200 else { return }
        guard head.statusCode == 101, version == .http11 else {
            throw gil.raise(.valueError, "a 1xx status is no answer to a request; for 103 there is wsgi.early_hints")
        }
    }

    private func setStatus(_ status: PyPointer, _ gil: borrowing GIL) throws(PythonError) {
        guard gil.isString(status) else { throw gil.raise(.typeError, "status must be a str") }
        let fault = try gil.withLatin1(status) { bytes -> ResponseFault? in
            do throws(ResponseFault) { try head.begin(status: bytes.bytes) } catch { return error }
            return nil
        }
        if let fault { throw Self.raise(fault, gil) }
    }

    private func setFields(_ headers: PyPointer, _ gil: borrowing GIL) throws(PythonError) {
        guard gil.isList(headers) || gil.isTuple(headers) else {
            throw gil.raise(.typeError, "headers must be a list of (name, value) tuples")
        }
        for index in 0..<gil.count(headers) {
            let pair = try gil.item(headers, index)
            guard gil.isTuple(pair) || gil.isList(pair), gil.count(pair) == 2 else {
                throw gil.raise(.typeError, "headers must be a list of (name, value) tuples")
            }
            let name = try gil.item(pair, 0)
            let value = try gil.item(pair, 1)
            guard gil.isString(name), gil.isString(value) else {
                throw gil.raise(.typeError, "header names and values must be str")
            }
            try setField(name, value, gil)
        }
    }

    @inline(__always)
    private func setField(_ name: PyPointer, _ value: PyPointer, _ gil: borrowing GIL) throws(PythonError) {
        // Both are the strings' own bytes where they are ASCII, which is the rule.
        if let plainName = gil.ascii(name), let plainValue = gil.ascii(value) {
            do throws(ResponseFault) {
                try head.append(name: plainName.bytes, value: plainValue.bytes)
            } catch {
                throw Self.raise(error, gil)
            }
            return
        }
        let nameBytes = try gil.withLatin1(name) { Array($0) }
        let valueBytes = try gil.withLatin1(value) { Array($0) }
        do throws(ResponseFault) {
            try head.append(name: nameBytes.span.bytes, value: valueBytes.span.bytes)
        } catch {
            throw Self.raise(error, gil)
        }
    }

    /// The application's fault as an exception; it never quotes the value.
    static func raise(_ fault: ResponseFault, _ gil: borrowing GIL) -> PythonError {
        switch fault {
        case .invalidStatus:
            gil.raise(.valueError, "the status is not 'ddd reason' (100 to 999), or has a control character in it")
        case .invalidFieldName: gil.raise(.valueError, "a header name is not a token (RFC 9110 section 5.1)")
        case .invalidFieldValue: gil.raise(.valueError, "a header value has a control character in it")
        case .invalidContentLength: gil.raise(.valueError, "Content-Length is not a number")
        case .duplicateContentLength: gil.raise(.valueError, "there is more than one Content-Length header")
        case .headTooLarge: gil.raise(.valueError, "the response's headers are too large")
        }
    }
}
