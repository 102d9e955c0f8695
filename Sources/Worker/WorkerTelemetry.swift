internal import HTTPServer
public import PythonBridge
public import WSGI

/// Who is told of a worker's requests. Most workers tell nobody.
public struct WorkerTelemetry {
    /// The access log that the core writes.
    public var accessLog: AccessLog?
    public var statsd: StatsdReporter?
    /// Makes what reads entries of the environ, where the access log's format names any; one for each gateway.
    public var makeExcerpt: ((borrowing GIL) throws(PythonError) -> EnvironExcerpt?)?
    /// Makes what tells Python of each request, where somebody there asks for it; one for each gateway.
    public var makeHooks: ((borrowing GIL) throws(PythonError) -> RequestHooks?)?
    /// Requests that Python's logger is to hear of later, where there is one, and what tells it of one.
    public var untold:
        (
            requests: UntoldRequests, tellRefused: (RefusedRequest, borrowing GIL) -> Void,
            tellLate: (LateRequest, borrowing GIL) -> Void
        )?
    /// Says that the access log lost lines: how many, and the error that was the cause, or 0.
    public var reportLost: ((Int, Int32, borrowing GIL) -> Void)?

    public init() {}

    /// Whether there is something for Python's logs: of lines that were lost, or of requests.
    var hasLines: Bool { accessLog?.hasReport == true || untold?.requests.isEmpty == false }

    /// What hears of the exchanges of one thread that serves.
    func makeObserver(_ excerpt: EnvironExcerpt?, _ hooks: RequestHooks?) -> (any ExchangeObserver)? {
        makeObserver(excerpt, untold.map { UntoldRequests.Marker($0.requests) { hooks?.ticket ?? 0 } })
    }

    /// What hears of those that are refused, and when others have left. It is made of the same kinds in the same order.
    func makeReactorObserver() -> (any ExchangeObserver)? { makeObserver(nil, untold?.requests) }

    private func makeObserver(
        _ excerpt: EnvironExcerpt?, _ last: (any ExchangeObserver)?
    ) -> (any ExchangeObserver)? {
        var observers: [any ExchangeObserver] = []
        if let accessLog {
            observers.append(AccessLogScribe(accessLog, page: accessLog.makePage(), excerpt: excerpt))
        }
        if let statsd { observers.append(statsd.makeTally()) }
        if let last { observers.append(last) }
        return ExchangeObservers.joining(observers)
    }

    /// Has everything leave that still waits: before the process ends. Any thread.
    func flush() {
        statsd?.send()
        accessLog?.flush()
    }
}
