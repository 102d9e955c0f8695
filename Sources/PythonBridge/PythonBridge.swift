public import CPython

public typealias PyPointer = UnsafeMutablePointer<PyObject>
@inlinable public func pyNone() -> PyPointer { cpython_none() }
