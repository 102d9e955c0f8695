internal import HTTPWire
public import Platform
public import PythonBridge
public import Transport

/// Runs the application, one request at a time. Each runner has its own.
public final class Gateway {
    private let application: PyPointer
    private let log: ApplicationLog
    private let types: WSGITypes
    private let configuration: GatewayConfiguration
    private let state: WorkerState
    private let writeTimeout: Nanoseconds
    private let environ: EnvironBuilder
    private var callables: ResponseCallables
    private let closeName: PyPointer

    /// - Parameters:
    ///   - application: the WSGI callable.
    ///   - errors: the `wsgi.errors` stream.
    ///   - writeTimeout: nanoseconds; 0 is for ever.
    public init(
        application: PyPointer, errors: PyPointer, log: ApplicationLog, types: WSGITypes,
        configuration: GatewayConfiguration, state: WorkerState, writeTimeout: Nanoseconds, _ gil: borrowing GIL
    ) throws(PythonError) {
        gil.retain(application)
        self.application = application
        self.log = log
        self.types = types
        self.configuration = configuration
        self.state = state
        self.writeTimeout = writeTimeout
        environ = try EnvironBuilder(types: types, configuration: configuration, errors: errors, gil)
        callables = try ResponseCallables(Response(state: state, writeTimeout: writeTimeout), types, gil)
        closeName = try gil.interned("close").leak()
    }

    /// Runs the request on the bench and sends its response.
    ///
    /// - Parameter mayPersist: whether the server lets the connection stay open.
    /// - Returns: whether the response leaves it open.
    /// - Throws: `PythonError` only for a SystemExit that ends the process.
    public func run(
        _ connection: Connection, on bench: Workbench, mayPersist: Bool, _ gil: inout GIL
    ) throws(PythonError) -> Bool {
        let response = callables.response
        response.begin(
            connection, isHead: bench.parser.head.knownMethod == .head, version: bench.parser.head.version,
            mayPersist: mayPersist && bench.parser.head.isPersistent)
        var isLeaving = false
        do throws(PythonError) {
            try answer(connection, on: bench, response, &gil)
        } catch {
            isLeaving = handleError(response, on: bench, &gil)
        }
        let persists =
            response.persists && !response.isBroken && !response.isAborted && response.stream?.fault == nil
        response.end()
        if !callables.areUnused(gil) { try renewCallables(gil) }
        if isLeaving { throw PythonError() }
        return persists
    }

    private func answer(
        _ connection: Connection, on bench: Workbench, _ response: Response, _ gil: inout GIL
    ) throws(PythonError) {
        let environ: PyRef
        do throws(EnvironFault) {
            environ = try self.environ.make(connection, on: bench, gil)
        } catch {
            guard case .outsideScriptName = error else { throw PythonError() }
            throw gil.raise(.runtimeError, "the request's path does not start with SCRIPT_NAME")
        }
        let result = try run(environ, &gil)
        var failure = false
        do throws(PythonError) {
            try send(result.pointer, response, &gil)
            try response.complete(&gil)
        } catch {
            failure = true
        }
        try close(result.pointer, afterFailure: failure, &gil)
    }

    /// Calls the application. A process that it forked, and that comes back from it, has no business here: connections and
    /// poller are the worker's.
    private func run(_ environ: borrowing PyRef, _ gil: inout GIL) throws(PythonError) -> PyRef {
        do throws(PythonError) {
            let result = try gil.call(application, environ, callables.start)
            if Process.isFork { Process.exitImmediately(0) }
            return result
        } catch {
            guard Process.isFork else { throw error }
            let isOrderly = gil.isRaised(.systemExit)
            if !isOrderly { log.exception("Error in a process that the application forked", gil.takeException(), gil) }
            Process.exitImmediately(isOrderly ? 0 : 1)
        }
    }

    // MARK: The result

    private func send(_ result: PyPointer, _ response: Response, _ gil: inout GIL) throws(PythonError) {
        if gil.isPlainSequence(result) { return try sendSequence(result, response, &gil) }
        if gil.isInstance(result, types.fileWrapper), configuration.usesSendFile,
            let file = FileWrapper.file(result), try types.isPlainFile(file, gil), try response.sendFile(file, &gil)
        {
            return
        }
        let iterator = try gil.iterator(result)
        while response.wantsMore, let block = try gil.next(iterator.pointer) {
            try response.send(block.pointer, total: nil, &gil)
        }
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
        for index in 0..<count where response.wantsMore {
            try response.send(try gil.item(result, index), total: total, &gil)
        }
    }

    /// PEP 3333: `close` is called once, whatever happened. An exception of it does not hide an earlier one.
    private func close(_ result: PyPointer, afterFailure: Bool, _ gil: inout GIL) throws(PythonError) {
        guard afterFailure else {
            if gil.isPlainSequence(result) { return }
            if let close = try gil.attributeIfPresent(result, closeName) { _ = try gil.call(close.pointer) }
            return
        }
        let exception = gil.takeException()
        do throws(PythonError) {
            if let close = try gil.attributeIfPresent(result, closeName) { _ = try gil.call(close.pointer) }
        } catch {
            log.exception("Error closing the response", gil.takeException(), gil)
        }
        throw gil.restore(exception)
    }

    // MARK: Errors

    /// Logs the exception that is set and answers 500 if nothing was sent. True for a SystemExit that ends the process.
    private func handleError(_ response: Response, on bench: Workbench, _ gil: inout GIL) -> Bool {
        if gil.isRaised(.systemExit), state.isQuitting {
            response.isAborted = true
            return true
        }
        if response.isBroken, gil.isRaised(.brokenPipeError) {
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
        let target = String(decoding: bench.bytes(bench.parser.head.target).prefix(256), as: UTF8.self)
        log.exception("Error handling request \(target)", exception, gil)
        if !response.isCommitted {
            let page = ErrorPage.response(
                status: 500, id: "application-error", date: response.currentDate(), includesBody: !response.isHead)
            page.withUnsafeBytes { response.post($0, &gil) }
        }
        response.isAborted = true
        return false
    }

    /// What reading the body raised is the client's fault, and the reactor tells the log of it.
    private func answer(_ fault: BodyStream.Fault, _ response: Response, _ gil: inout GIL) {
        switch fault {
        case .disconnected:
            response.fail(&gil)
        case .wire(let error):
            response.isAborted = true
            guard !response.isCommitted else { return }
            let page = ErrorPage.response(
                to: error, date: response.currentDate(), includesBody: !response.isHead)
            page.withUnsafeBytes { response.post($0, &gil) }
        }
    }

    private func renewCallables(_ gil: borrowing GIL) throws(PythonError) {
        let renewed = try ResponseCallables(Response(state: state, writeTimeout: writeTimeout), types, gil)
        callables.discard(gil)
        callables = renewed
    }
}

/// Where an application's errors are told: a Python callable `(message, type, value, traceback)`.
public struct ApplicationLog {
    private let report: PyPointer

    public init(_ report: borrowing some PythonObject, _ gil: borrowing GIL) {
        gil.retain(report)
        self.report = report.pointer
    }

    func exception(_ message: String, _ exception: borrowing PythonException, _ gil: borrowing GIL) {
        do throws(PythonError) {
            _ = try gil.call(
                report, try gil.string(message), exception.type.pointer, exception.value.pointer,
                exception.traceback.pointer)
        } catch {
            // The logger itself failed: CPython's own last resort prints it.
            gil.writeUnraisable()
        }
    }
}
