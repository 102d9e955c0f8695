public import CPython

/// A reference to a Python object that somebody else owns: valid while that owner keeps it.
public typealias PyPointer = UnsafeMutablePointer<PyObject>

/// Python raised: the exception is set in the thread's state, where it stays until it is fetched or returned to Python.
public struct PythonError: Error, Sendable {
    @inlinable public init() {}
}

/// The right to touch Python: the global interpreter lock is held by this thread.
///
/// Every call into Python is a method of it, so that code without it cannot make one.
public struct GIL: ~Copyable {
    /// Conjures the capability. Only where CPython itself calls us, which it does with the lock held.
    @inlinable init() {}

    /// For functions that CPython calls: it holds the lock for the length of the call.
    @inlinable public static func heldByCaller() -> GIL { GIL() }
}

extension GIL {
    /// Runs `body`, which waits for something outside, without the lock.
    @inlinable public mutating func released<Result>(_ body: () -> Result) -> Result {
        let state = PyEval_SaveThread()
        defer { PyEval_RestoreThread(state) }
        return body()
    }

    /// Lets Python run the handlers of signals that came in. Main thread only.
    ///
    /// - Throws: `PythonError` when a handler raised.
    public borrowing func checkSignals() throws(PythonError) {
        if PyErr_CheckSignals() != 0 { throw PythonError() }
    }
}

/// Something that stands for a Python object: a reference of ours, or a borrowed one.
///
/// Functions take it whole and not its pointer, so that a reference of ours that nobody named lives until they return.
public protocol PythonReference: ~Copyable {
    var pointer: PyPointer { get }
}

/// What functions take: `borrowing some PythonObject`.
public typealias PythonObject = PythonReference & ~Copyable

extension PyRef: PythonReference {}

extension UnsafeMutablePointer: PythonReference where Pointee == PyObject {
    @inlinable public var pointer: PyPointer { self }
}

/// A Python object that we own one reference of.
///
/// It is dropped with the lock held: who keeps one keeps it where the `GIL` is at hand.
@frozen public struct PyRef: ~Copyable {
    public let pointer: PyPointer

    /// Takes over a reference that we already own ("new reference" in CPython's words).
    @inlinable public init(owned pointer: PyPointer) {
        self.pointer = pointer
    }

    /// Takes a reference of our own to an object that somebody else owns ("borrowed reference").
    @inlinable public init(retaining pointer: PyPointer) {
        cpython_incref(pointer)
        self.pointer = pointer
    }

    @inlinable deinit {
        cpython_decref(pointer)
    }

    /// Gives the reference away, for instance as a function's result to Python.
    @inlinable public consuming func leak() -> PyPointer {
        let pointer = pointer
        discard self
        return pointer
    }
}
