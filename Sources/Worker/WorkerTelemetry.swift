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
    /// Says that the access log lost lines: how many, and the error that was the cause, or 0.
    public var reportLost: ((Int, Int32, borrowing GIL) -> Void)?

    public init() {}

    /// What hears of the exchanges of one thread.
    func makeObserver(_ excerpt: EnvironExcerpt?) -> (any ExchangeObserver)? {
        var observers: [any ExchangeObserver] = []
        if let accessLog {
            observers.append(AccessLogScribe(accessLog, page: accessLog.makePage(), excerpt: excerpt))
        }
        if let statsd { observers.append(statsd.makeTally()) }
        return ExchangeObservers.joining(observers)
    }

    /// Has everything leave that still waits: before the process ends. Any thread.
    func flush() {
        statsd?.send()
        accessLog?.flush()
    }
}
