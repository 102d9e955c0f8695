/// What the gateway must know of its worker's end. Asked on the path of a request, from several threads.
public protocol WorkerOutlook: AnyObject, Sendable {
    /// Whether no more requests follow on a connection: responses close theirs.
    var isLeaving: Bool { get }
    /// Whether a SystemExit is the worker's own, on its way out, and not the application's.
    var isQuitting: Bool { get }
}
