internal import CPython

/// An exception taken out of the thread's state, normalized.
public struct PythonException: ~Copyable {
    public let type: PyRef
    public let value: PyRef
    /// None when it has no traceback.
    public let traceback: PyRef

    @inlinable init(type: consuming PyRef, value: consuming PyRef, traceback: consuming PyRef) {
        self.type = type
        self.value = value
        self.traceback = traceback
    }
}

/// The exceptions that we raise ourselves.
public enum PythonExceptionType: Sendable {
    case assertionError, brokenPipeError, memoryError, osError, runtimeError, systemExit, typeError, valueError

    var pointer: PyPointer {
        switch self {
        case .assertionError: cpython_AssertionError()
        case .brokenPipeError: cpython_BrokenPipeError()
        case .memoryError: cpython_MemoryError()
        case .osError: cpython_OSError()
        case .runtimeError: cpython_RuntimeError()
        case .systemExit: cpython_SystemExit()
        case .typeError: cpython_TypeError()
        case .valueError: cpython_ValueError()
        }
    }
}

extension GIL {
    /// Sets an exception. Returns the error to throw.
    public borrowing func raise(_ type: PythonExceptionType, _ message: String) -> PythonError {
        PyErr_SetString(type.pointer, message)
        return PythonError()
    }

    /// Sets a SystemExit, which ends the process with a status once it has passed through every frame.
    public borrowing func raiseSystemExit(_ status: Int32) -> PythonError {
        guard let number = try? integer(Int(status)) else { return PythonError() }
        PyErr_SetObject(cpython_SystemExit(), number.pointer)
        return PythonError()
    }

    /// Sets an exception that exists already, as `raise value.with_traceback(traceback)` does.
    public borrowing func raise(
        type: borrowing some PythonObject, value: borrowing some PythonObject, traceback: borrowing some PythonObject
    ) -> PythonError {
        let hasTraceback = traceback.pointer != cpython_none()
        cpython_incref(type.pointer)
        cpython_incref(value.pointer)
        if hasTraceback { cpython_incref(traceback.pointer) }
        PyErr_Restore(type.pointer, value.pointer, hasTraceback ? traceback.pointer : nil)
        return PythonError()
    }

    /// Whether the exception that is set is of a type.
    public borrowing func isRaised(_ type: PythonExceptionType) -> Bool {
        PyErr_Occurred() != nil && PyErr_ExceptionMatches(type.pointer) != 0
    }

    public var isErrorSet: Bool { PyErr_Occurred() != nil }

    public borrowing func clearError() { PyErr_Clear() }

    /// Takes the exception that is set.
    public borrowing func takeException() -> PythonException {
        var type: PyPointer?
        var value: PyPointer?
        var traceback: PyPointer?
        PyErr_Fetch(&type, &value, &traceback)
        PyErr_NormalizeException(&type, &value, &traceback)
        if let value, let traceback { _ = PyException_SetTraceback(value, traceback) }
        func reference(_ pointer: PyPointer?) -> PyRef {
            if let pointer { return PyRef(owned: pointer) }
            return PyRef(retaining: cpython_none())
        }
        return PythonException(
            type: reference(type), value: reference(value), traceback: reference(traceback))
    }

    /// Puts a taken exception back, to be raised on.
    public borrowing func restore(_ exception: consuming PythonException) -> PythonError {
        raise(
            type: exception.type.pointer, value: exception.value.pointer, traceback: exception.traceback.pointer)
    }

    /// Reports an exception where nothing can be done about it, as CPython does in destructors.
    public borrowing func writeUnraisable() { PyErr_WriteUnraisable(nil) }
}
