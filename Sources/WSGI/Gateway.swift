public import HTTPServer
internal import HTTPWire
public import Platform
public import PythonBridge
public import Transport

/// Runs the application, one request at a time. Each runner has its own.
public final class Gateway {
    private let bench: Workbench
    private let application: PyPointer
    private let log: ApplicationLog
    private let types: WSGITypes
    private let configuration: GatewayConfiguration
    private let outlook: any WorkerOutlook
    /// Hears of each request that is served.
    public var observer: (any ExchangeObserver)?
    /// Tells Python of each request; nil where nobody there asks for it.
    public var hooks: RequestHooks?
    /// What is kept of each environ; nil where nobody asks for it.
    public var excerpt: EnvironExcerpt?
    private let writeTimeout: Nanoseconds
    private let clientWaits: any ClientWaitObserver
    /// How many more responses leave at once, because `close` takes long after them.
    private var promptRequests = 0
    private let environ: EnvironBuilder
    private var callables: ResponseCallables
    private var environCallables: EnvironCallables
    private let closeName: PyPointer
    /// The environ of the request under way, which `answer` owns.
    private var current: PyPointer?

    /// - Parameters:
    ///   - bench: of the thread that runs the application.
    ///   - application: the WSGI callable.
    ///   - errors: the `wsgi.errors` stream.
    ///   - writeTimeout: nanoseconds; 0 is for ever.
    ///   - clientWaits: hears of each wait for the client while the application runs.
    public init(
        on bench: Workbench, application: PyPointer, errors: PyPointer, log: ApplicationLog, types: WSGITypes,
        configuration: GatewayConfiguration, outlook: any WorkerOutlook, writeTimeout: Nanoseconds,
        clientWaits: any ClientWaitObserver, _ gil: borrowing GIL
    ) throws(PythonError) {
        gil.retain(application)
        self.clientWaits = clientWaits
        self.bench = bench
        self.application = application
        self.log = log
        self.types = types
        self.configuration = configuration
        self.outlook = outlook
        self.writeTimeout = writeTimeout
        environ = try EnvironBuilder(types: types, configuration: configuration, errors: errors, gil)
        callables = try Self.makeCallables(bench, outlook, writeTimeout, clientWaits, configuration, types, gil)
        environCallables = try EnvironCallables(callables.response, types, gil)
        try environ.install(environCallables, gil)
        closeName = try gil.interned("close").leak()
    }

    /// Runs the application for a request and sends its response.
    ///
    /// - Parameter mayDefer: whether a small response may wait for others (`Reactor.defersResponses`).
    /// - Returns: the exchange, which is over, and whether an exception is set that ends the process: a SystemExit.
    public func run(
        _ exchange: consuming Exchange, mayDefer: Bool, _ gil: inout GIL
    ) -> (ended: EndedExchange, failed: Bool) {
        let response = callables.response
        response.begin(exchange, mayDefer: mayDefer && promptRequests == 0)
        if promptRequests > 0 { promptRequests &-= 1 }
        var isLeaving = false
        do throws(PythonError) {
            try answer(response, &gil)
        } catch {
            isLeaving = handleError(response, &gil)
        }
        if !response.writer.isComplete, !response.isSurrendered { remark(response, gil) }
        if let hooks { response.withExchange { hooks.end($0, gil) } }
        if let observer { response.withExchange { $0.tell(observer, at: Clock.now()) } }
        let ended = response.end()
        // The process ends, and an exception is set: nothing of Python may be called any more.
        if isLeaving { return (ended, true) }
        do throws(PythonError) {
            if environCallables.socketWasUsed { try environCallables.endSocket(gil) }
            if !ResponseCallables.areUnused(callables.start, callables.write, gil) { try renewCallables(gil) }
            if environCallables.socketWasUsed || !environCallablesAreUnused(gil) { try renewEnvironCallables(gil) }
        } catch {
            isLeaving = true
        }
        return (ended, isLeaving)
    }

    @inline(__always)
    private func environCallablesAreUnused(_ gil: borrowing GIL) -> Bool {
        EnvironCallables.areUnused(
            environCallables.earlyHints, environCallables.clientDisconnected, environCallables.socket,
            templates: environ.templateCount, gil)
    }

    /// The request in the application, from its environ, for the log: `GET /path of 203.0.113.9:5000`; nil when there
    /// is none. Without the query, in which secrets travel. Any thread: all is looked at with the lock held.
    public func requestUnderWay(_ gil: borrowing GIL) -> String? {
        guard let current, let method = environ.method(of: current, gil), let target = environ.target(of: current, gil)
        else { return nil }
        let path = target.prefix { $0 != "?" }.prefix(256)
        guard let client = environ.client(of: current, gil) else { return "\(method) \(path)" }
        return "\(method) \(path) of \(client)"
    }

    private func answer(_ response: Response, _ gil: inout GIL) throws(PythonError) {
        excerpt?.clear()
        let made = try response.withExchange { (exchange) throws(PythonError) in try self.environ.make(exchange, gil) }
        guard let environ = made else {
            return refuseOutsideMountPoint(response, &gil)
        }
        current = environ.pointer
        defer {
            if let excerpt { take(excerpt, from: environ.pointer, gil) }
            current = nil
        }
        if let hooks {
            response.mustClose = try response.withExchange { (exchange) throws(PythonError) in
                try hooks.begin(exchange, environ: environ.pointer, gil)
            }
        }
        let result = try run(environ, &gil)
        var failure = false
        do throws(PythonError) {
            try send(result.pointer, response, &gil)
            try response.complete(&gil)
        } catch {
            failure = true
        }
        let start = response.mayDefer && response.isDeferred ? Clock.now() : 0
        try close(result.pointer, afterFailure: failure, &gil)
        if start != 0, Clock.now() &- start > Self.longestClose { promptRequests = Self.promptness }
    }

    /// Keeps what was asked for of an environ, whatever became of its request.
    private func take(_ excerpt: EnvironExcerpt, from environ: PyPointer, _ gil: borrowing GIL) {
        let failure = gil.isErrorSet ? gil.takeException() : nil
        do throws(PythonError) {
            let address = excerpt.notesAddress ? self.environ.changedAddress(of: environ, gil) : nil
            try excerpt.take(from: environ, address: address, gil)
        } catch {
            log.exception("The environ of a request cannot be read for the access log", gil.takeException(), gil)
        }
        if let failure { _ = gil.restore(failure) }
    }

    /// Nanoseconds that `close` may take while the response waits for others.
    private static let longestClose = Nanoseconds.microseconds(500)
    /// How many responses do not wait after one that waited for its `close`.
    private static let promptness = 1000

    private func run(_ environ: borrowing PyRef, _ gil: inout GIL) throws(PythonError) -> PyRef {
        defer { leaveIfForked(gil) }
        return try gil.call(application, environ, callables.start)
    }

    /// To be called whenever code of the application has returned or raised. A process that it forked, and that comes
    /// back from it, has no business here: connections and poller are the worker's.
    @inline(__always)
    private func leaveIfForked(_ gil: borrowing GIL) {
        if Process.isFork { log.leaveFork(gil) }
    }

    // MARK: The result

    private func send(_ result: PyPointer, _ response: Response, _ gil: inout GIL) throws(PythonError) {
        if gil.isPlainSequence(result) { return try sendSequence(result, response, &gil) }
        if gil.isInstance(result, types.fileWrapper), configuration.usesSendFile,
            let file = FileWrapper.file(result), try types.isPlainFile(file, gil), try response.sendFile(file, &gil)
        {
            return
        }
        let isSingle = gil.length(result) == 1
        let iterator = try gil.iterator(result)
        while response.writer.wantsMore, let block = try next(iterator, gil) {
            // PEP 3333, "Handling the Content-Length Header": of an iterable of one block that block is all.
            try response.send(block.pointer, total: isSingle ? try gil.bytes(of: block.pointer).count : nil, &gil)
        }
    }

    @inline(__always)
    private func next(_ iterator: borrowing PyRef, _ gil: borrowing GIL) throws(PythonError) -> PyRef? {
        defer { leaveIfForked(gil) }
        return try gil.next(iterator)
    }

    /// A list or tuple: how long the body is can be known before its first byte leaves.
    private func sendSequence(_ result: PyPointer, _ response: Response, _ gil: inout GIL) throws(PythonError) {
        let count = gil.count(result)
        var total = 0
        for index in 0..<count {
            let block = try gil.item(result, index)
            guard gil.isBytes(block) else { throw gil.raise(.typeError, "the body must consist of bytes objects") }
            total += try gil.bytes(of: block).count
        }
        if count > 1, total > 0, total <= ResponseWriter.copyLimit, !response.writer.isCommitted {
            return try response.sendJoined(result, total: total, &gil)
        }
        for index in 0..<count where response.writer.wantsMore {
            // Held while it is sent: meanwhile other threads, and signal handlers, may take it out of the list.
            let block = PyRef(retaining: try gil.item(result, index))
            try response.send(block.pointer, total: total, &gil)
        }
    }

    /// PEP 3333: `close` is called once, whatever happened. An exception of it does not hide an earlier one.
    private func close(_ result: PyPointer, afterFailure: Bool, _ gil: inout GIL) throws(PythonError) {
        guard afterFailure else {
            if gil.isPlainSequence(result) { return }
            return try callClose(result, gil)
        }
        let exception = gil.takeException()
        do throws(PythonError) {
            try callClose(result, gil)
        } catch {
            log.exception("Error closing the response", gil.takeException(), gil)
        }
        throw gil.restore(exception)
    }

    private func callClose(_ result: PyPointer, _ gil: borrowing GIL) throws(PythonError) {
        defer { leaveIfForked(gil) }
        if let close = try gil.attributeIfPresent(result, closeName) { _ = try gil.call(close.pointer) }
    }

    // MARK: Errors

    /// Logs the exception that is set and answers 500 if nothing was sent. True for a SystemExit that ends the process.
    private func handleError(_ response: Response, _ gil: inout GIL) -> Bool {
        if gil.isRaised(.systemExit), outlook.isQuitting {
            response.writer.cut()
            return true
        }
        if response.isSurrendered, gil.isRaised(.stopIteration) {
            // How flask-sock and python-engineio tell gunicorn that there is no response.
            gil.clearError()
            return false
        }
        if response.writer.isLost, gil.isRaised(.brokenPipeError) {
            // What `write` raised because the client left: no fault of the application.
            gil.clearError()
            return false
        }
        let isOSError = gil.isRaised(.osError)
        let exception = gil.takeException()
        if isOSError, let fault = response.stream?.fault, LiveInput.isCause(fault, of: exception, gil) {
            answer(fault, response, &gil)
            return false
        }
        log.exception("Error handling request \(response.withExchange { $0.line })", exception, gil)
        response.refuse(.applicationError(for: response.withExchange { $0.audience }), &gil)
        return false
    }

    /// The proxy in front and this server disagree about where the application is: no fault of the application, nor of
    /// the client.
    private func refuseOutsideMountPoint(_ response: Response, _ gil: inout GIL) {
        log.warning(
            "\(response.withExchange { $0.line }) is outside of the mount point, and is answered with 500. The proxy must "
                + "pass on paths that begin with SCRIPT_NAME: see --root-path, the variable SCRIPT_NAME, and the proxy's "
                + "SCRIPT_NAME field.", gil)
        response.refuse(.outsideMountPoint(for: response.withExchange { $0.audience }), &gil)
    }

    /// What reading the body raised is the client's fault, and the reactor tells the log of it.
    private func answer(_ fault: BodyStream.Fault, _ response: Response, _ gil: inout GIL) {
        switch fault {
        case .disconnected:
            log.warning(
                "The client of \(response.withExchange { $0.line }) left in the middle of the body, which the "
                    + "application was reading.", gil)
            response.lose(&gil)
        case .wire(let error): response.refuse(Refusal(error, for: response.withExchange { $0.audience }), &gil)
        }
    }

    /// Says in the log that the client did not get all, if it did not, and why.
    private func remark(_ response: Response, _ gil: borrowing GIL) {
        let promised = response.writer.promisedCount
        let remark = response.withExchange { exchange in
            exchange.record(at: Clock.now()).remark(head: exchange.request, promised: promised)
        }
        guard let remark else { return }
        switch remark.level {
        case .warning: log.warning(remark.text, gil)
        case .debug: log.debug(remark.text, gil)
        }
    }

    // MARK: Callables that the application keeps

    private static func makeCallables(
        _ bench: Workbench, _ outlook: any WorkerOutlook, _ writeTimeout: Nanoseconds,
        _ clientWaits: any ClientWaitObserver,
        _ configuration: GatewayConfiguration, _ types: WSGITypes, _ gil: borrowing GIL
    ) throws(PythonError) -> ResponseCallables {
        let response = Response(
            on: bench, outlook: outlook, writeTimeout: writeTimeout, bufferLimit: configuration.responseBuffer,
            spoolLimit: configuration.responseSpool, clientWaits: clientWaits)
        return try ResponseCallables(response, types, gil)
    }

    private func renewCallables(_ gil: borrowing GIL) throws(PythonError) {
        let renewed = try Self.makeCallables(bench, outlook, writeTimeout, clientWaits, configuration, types, gil)
        callables.discard(gil)
        callables = renewed
        environCallables.attach(renewed.response)
    }

    private func renewEnvironCallables(_ gil: borrowing GIL) throws(PythonError) {
        let renewed = try EnvironCallables(callables.response, types, gil)
        try environ.install(renewed, gil)
        environCallables.discard(gil)
        environCallables = renewed
    }
}

/// How a request is named in a line of the log, as much of it as such a line should hold.
extension Exchange {
    fileprivate var audience: ErrorAudience { ErrorAudience(head: request.bytes) }
    fileprivate var target: String { String(decoding: bytes(head.target).prefix(256), as: UTF8.self) }
    fileprivate var line: String { "\(String(decoding: bytes(head.method), as: UTF8.self)) \(target)" }
}
