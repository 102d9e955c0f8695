internal import HTTPServer
internal import HTTPWire
internal import Platform
internal import PythonBridge
internal import Transport

/// One request's response as Python sees it: what `start_response` and `write` were told, translated for the writer,
/// and what the writer has to send put on the socket.
final class Response {
    /// What is answered; nil between requests.
    private var current: Exchange?
    /// Where the writer is.
    private let bench: Workbench
    /// The request's body, if the application reads it from the socket.
    private(set) var stream: BodyStream?
    /// Whether it may wait in the outbox if it is small.
    var mayDefer = false
    /// Whether the socket may not have taken all that was sent: not where one attempt after the other sent everything.
    var mayBePending = false
    /// The connection ends with it, whatever else is said.
    var mustClose = false
    /// Whether the connection is the application's (`gunicorn.socket`): nothing more is sent.
    var isSurrendered = false
    let outlook: any WorkerOutlook
    /// In which the client must take `Timeouts.progress` bytes, in nanoseconds; 0 is for ever.
    let writeTimeout: Nanoseconds
    let clientWaits: any ClientWaitObserver
    private var dateSecond: Int64 = -1
    private var date = HTTPDate(unixSeconds: 0)

    /// Bytes that may wait for the client before the application is held up (`response_buffer`).
    let bufferLimit: Int
    /// Bytes that may wait in a file (`response_spool`).
    let spoolLimit: Int

    init(
        on bench: Workbench, outlook: any WorkerOutlook, writeTimeout: Nanoseconds, bufferLimit: Int, spoolLimit: Int,
        clientWaits: any ClientWaitObserver
    ) {
        self.bench = bench
        self.outlook = outlook
        self.clientWaits = clientWaits
        self.writeTimeout = writeTimeout
        self.bufferLimit = bufferLimit
        self.spoolLimit = spoolLimit
    }

    /// - Parameter mayDefer: whether it may wait in the outbox if it is small.
    func begin(_ exchange: consuming Exchange, mayDefer: Bool) {
        self.mayDefer = mayDefer
        mustClose = false
        mayBePending = false
        isSurrendered = false
        if case .stream(let stream) = exchange.body {
            self.stream = stream
            stream.observer = clientWaits
            // The client may wait for the response before it sends the rest of the body, and the application for that.
            self.mayDefer = false
        }
        bench.writer.begin(exchange.traits)
        current = consume exchange
    }

    /// Cuts the ties to the request: callables that the application kept do nothing from here on.
    func end() -> EndedExchange {
        if let stream {
            stream.isReleased = true
            self.stream = nil
        }
        guard let exchange = current.take() else { preconditionFailure("no request is being answered") }
        return exchange.end()
    }

    /// Whether there is a request to answer.
    @inline(__always)
    var isUnderWay: Bool { connection != nil }

    /// The way to the client; nil between requests.
    @inline(__always)
    var connection: Connection? {
        switch current {
        case .some(let exchange): exchange.output
        case .none: nil
        }
    }

    /// The same, not retained, for calls under the lock alone: without it nobody ends the exchange.
    @inline(__always)
    var borrowedConnection: Unmanaged<Connection>? {
        switch current {
        case .some(let exchange): exchange.borrowedOutput
        case .none: nil
        }
    }

    /// What is answered. There is one while ``isUnderWay``.
    func withExchange<Result: ~Copyable, Failure: Error>(
        _ body: (borrowing Exchange) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        switch current {
        case .some(let exchange): try body(exchange)
        case .none: preconditionFailure("no request is being answered")
        }
    }

    /// What the response has come to.
    var writer: ResponseWriter {
        @inline(__always) _read { yield bench.writer }
        @inline(__always) _modify { yield &bench.writer }
    }

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
    /// - Throws: `PythonError`: AssertionError for a second call, TypeError or ValueError for what cannot be sent, or
    ///   the exception in `exc_info` when it is too late to change the response.
    func start(
        status: PyPointer, headers: PyPointer, exceptionInfo: PyPointer?, _ gil: borrowing GIL
    ) throws(PythonError) {
        let failure = exceptionInfo == gil.none() ? nil : exceptionInfo
        guard isUnderWay else {
            throw gil.raise(.runtimeError, "start_response() was called after the request had ended")
        }
        switch writer.startRule(afterFailure: failure != nil) {
        case .allowed, .ended: break
        case .alreadyStarted:
            throw gil.raise(.assertionError, "start_response() was called a second time without exc_info")
        case .tooLate: throw try Self.reraise(failure, gil)
        }
        try setStatus(status, gil)
        try setFields(headers, gil)
        do throws(ResponseFault) { try writer.finishStart() } catch { throw Self.raise(error, gil) }
    }

    /// The exception in an `exc_info`, to be thrown.
    private static func reraise(_ info: PyPointer?, _ gil: borrowing GIL) throws(PythonError) -> PythonError {
        guard let info, gil.isTuple(info), gil.count(info) == 3,
            let error = gil.reraise(
                type: try gil.item(info, 0), value: try gil.item(info, 1), traceback: try gil.item(info, 2))
        else { throw gil.raise(.typeError, "exc_info must be a tuple as sys.exc_info() returns it") }
        return error
    }

    private func setStatus(_ status: PyPointer, _ gil: borrowing GIL) throws(PythonError) {
        guard gil.isString(status) else { throw gil.raise(.typeError, "status must be a str") }
        let fault = try gil.withLatin1(status) { bytes -> ResponseFault? in
            do throws(ResponseFault) { try writer.beginStart(status: bytes.bytes) } catch { return error }
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
                try writer.append(name: plainName.bytes, value: plainValue.bytes)
            } catch {
                throw Self.raise(error, gil)
            }
            return
        }
        let nameBytes = try gil.withLatin1(name) { Array($0) }
        let valueBytes = try gil.withLatin1(value) { Array($0) }
        do throws(ResponseFault) {
            try writer.append(name: nameBytes.span.bytes, value: valueBytes.span.bytes)
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
        case .interimStatus:
            gil.raise(.valueError, "a 1xx status is no answer to a request; for 103 there is wsgi.early_hints")
        case .headTooLarge: gil.raise(.valueError, "the response's headers are too large")
        }
    }
}
