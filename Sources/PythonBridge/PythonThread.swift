internal import CPython

/// The calling thread's relation to Python: it holds the lock or it does not, and changes that only when it must.
///
/// A runner keeps the lock from one request to the next and gives it up before it waits: one acquisition for as many
/// requests as a poll brings.
public struct PythonThread: ~Copyable {
    /// The thread's state while it does not hold the lock; nil while it does.
    private var detached: OpaquePointer?

    private init() {
        detached = nil
    }

    /// The calling thread, which holds the lock. Whoever lent its capability gets it back by a last `withGIL`.
    public static func current(_ gil: inout GIL) -> PythonThread { PythonThread() }

    /// `threading.get_ident()` of the calling thread.
    public static var identity: Int { Int(bitPattern: PyThread_get_thread_ident()) }

    /// Gives the lock up, if it is held.
    public mutating func detach() {
        if detached == nil { detached = PyEval_SaveThread() }
    }

    /// Runs `body` with the lock, taking it first if need be. It is kept afterwards.
    @inline(__always)
    public mutating func withGIL<Result, Failure: Error>(
        _ body: (inout GIL) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if let state = detached {
            PyEval_RestoreThread(state)
            detached = nil
        }
        var gil = GIL()
        return try body(&gil)
    }
}
