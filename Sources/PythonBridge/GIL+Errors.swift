internal import CPython

/// An exception taken out of the thread's state, normalized.
public struct PythonException: ~Copyable {
    /// Its class.
    public let type: PyRef
    /// The exception itself.
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
    case assertionError, brokenPipeError, connectionResetError, memoryError, osError, runtimeError, stopIteration
    case systemExit, timeoutError, typeError, valueError

    var pointer: PyPointer {
        switch self {
        case .assertionError: cpython_AssertionError()
        case .brokenPipeError: cpython_BrokenPipeError()
        case .connectionResetError: cpython_ConnectionResetError()
        case .memoryError: cpython_MemoryError()
        case .osError: cpython_OSError()
        case .runtimeError: cpython_RuntimeError()
        case .stopIteration: cpython_StopIteration()
        case .systemExit: cpython_SystemExit()
        case .timeoutError: cpython_TimeoutError()
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

    /// Sets an exception that an application passes, as `raise value.with_traceback(traceback)` does. Nil, and nothing
    /// set, when the three are not what `sys.exc_info()` returns for an exception.
    public borrowing func reraise(
        type: borrowing some PythonObject, value: borrowing some PythonObject, traceback: borrowing some PythonObject
    ) -> PythonError? {
        guard cpython_is_exception_class(type.pointer) != 0, cpython_is_exception(value.pointer) != 0 else {
            return nil
        }
        // The setter checks that it is a traceback, or None.
        guard PyException_SetTraceback(value.pointer, traceback.pointer) == 0 else {
            PyErr_Clear()
            return nil
        }
        PyErr_SetObject(cpython_object_type(value.pointer), value.pointer)
        return PythonError()
    }

    /// Whether the exception that is set is of a type.
    public borrowing func isRaised(_ type: PythonExceptionType) -> Bool {
        PyErr_Occurred() != nil && PyErr_ExceptionMatches(type.pointer) != 0
    }

    /// Whether an exception is set in this thread.
    public var isErrorSet: Bool { PyErr_Occurred() != nil }

    /// Drops the exception that is set, if one is.
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

    /// What `str()` makes of an exception; nil when that raises.
    public borrowing func message(of exception: borrowing PythonException) -> String? {
        guard let text = PyObject_Str(exception.value.pointer) else {
            PyErr_Clear()
            return nil
        }
        let owner = PyRef(owned: text)
        return self.text(owner.pointer)
    }

    /// Puts a taken exception back, to be raised on.
    public borrowing func restore(_ exception: consuming PythonException) -> PythonError {
        PyErr_SetObject(exception.type.pointer, exception.value.pointer)
        return PythonError()
    }

    /// Reports an exception where nothing can be done about it, as CPython does in destructors.
    public borrowing func writeUnraisable() { PyErr_WriteUnraisable(nil) }
}
