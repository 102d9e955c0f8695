public import CPython

/// Dictionaries, lists, tuples, attributes, calls, iteration.
extension GIL {
    // MARK: Dictionaries

    public borrowing func dictionary() throws(PythonError) -> PyRef { try owned(PyDict_New()) }

    @inlinable public borrowing func copy(dictionary: PyPointer) throws(PythonError) -> PyRef {
        try owned(PyDict_Copy(dictionary))
    }

    @inlinable public borrowing func set(
        _ dictionary: PyPointer, _ key: PyPointer, _ value: PyPointer
    ) throws(PythonError) {
        try check(PyDict_SetItem(dictionary, key, value))
    }

    public borrowing func remove(_ dictionary: PyPointer, _ key: PyPointer) throws(PythonError) {
        try check(PyDict_DelItem(dictionary, key))
    }

    /// The value for a key, owned by the dictionary; nil when there is none.
    @inlinable public borrowing func get(_ dictionary: PyPointer, _ key: PyPointer) throws(PythonError) -> PyPointer? {
        if let value = PyDict_GetItemWithError(dictionary, key) { return value }
        if PyErr_Occurred() != nil { throw PythonError() }
        return nil
    }

    // MARK: Sequences

    @inlinable public borrowing func isList(_ object: PyPointer) -> Bool { cpython_is_list(object) != 0 }
    @inlinable public borrowing func isTuple(_ object: PyPointer) -> Bool { cpython_is_tuple(object) != 0 }

    /// Whether it is exactly a `list` or a `tuple`: no subclass that could behave in its own way, and no `close`.
    @inlinable public borrowing func isPlainSequence(_ object: PyPointer) -> Bool {
        cpython_is_list_exact(object) != 0 || cpython_is_tuple_exact(object) != 0
    }

    @inlinable public borrowing func isPlainBytes(_ object: PyPointer) -> Bool { cpython_is_bytes_exact(object) != 0 }

    /// Items of a list or tuple.
    @inlinable public borrowing func count(_ sequence: PyPointer) -> Int {
        cpython_is_list(sequence) != 0 ? PyList_Size(sequence) : PyTuple_Size(sequence)
    }

    /// An item of a list or tuple, owned by it.
    @inlinable public borrowing func item(_ sequence: PyPointer, _ index: Int) throws(PythonError) -> PyPointer {
        let item =
            cpython_is_list(sequence) != 0 ? PyList_GetItem(sequence, index) : PyTuple_GetItem(sequence, index)
        guard let item else { throw PythonError() }
        return item
    }

    public borrowing func list() throws(PythonError) -> PyRef { try owned(PyList_New(0)) }

    public borrowing func append(_ list: PyPointer, _ item: PyPointer) throws(PythonError) {
        try check(PyList_Append(list, item))
    }

    public borrowing func pair(_ first: PyPointer, _ second: PyPointer) throws(PythonError) -> PyRef {
        let tuple = try owned(PyTuple_New(2))
        // `PyTuple_SetItem` takes the references over.
        try check(PyTuple_SetItem(tuple.pointer, 0, PyRef(retaining: first).leak()))
        try check(PyTuple_SetItem(tuple.pointer, 1, PyRef(retaining: second).leak()))
        return tuple
    }

    // MARK: Attributes and calls

    @inlinable public borrowing func attribute(_ object: PyPointer, _ name: PyPointer) throws(PythonError) -> PyRef {
        try owned(PyObject_GetAttr(object, name))
    }

    public borrowing func attribute(_ object: PyPointer, _ name: String) throws(PythonError) -> PyRef {
        try owned(PyObject_GetAttrString(object, name))
    }

    /// Nil when the object has no such attribute; any other exception of the look-up is raised.
    public borrowing func attributeIfPresent(
        _ object: PyPointer, _ name: PyPointer
    ) throws(PythonError) -> PyRef? {
        if let value = PyObject_GetAttr(object, name) { return PyRef(owned: value) }
        guard PyErr_ExceptionMatches(cpython_AttributeError()) != 0 else { throw PythonError() }
        PyErr_Clear()
        return nil
    }

    @inlinable public borrowing func call(_ callable: PyPointer) throws(PythonError) -> PyRef {
        try owned(cpython_call_0(callable))
    }

    @inlinable public borrowing func call(_ callable: PyPointer, _ first: PyPointer) throws(PythonError) -> PyRef {
        try owned(cpython_call_1(callable, first))
    }

    @inlinable public borrowing func call(
        _ callable: PyPointer, _ first: PyPointer, _ second: PyPointer
    ) throws(PythonError) -> PyRef {
        try owned(cpython_call_2(callable, first, second))
    }

    public borrowing func call(
        _ callable: PyPointer, _ first: PyPointer, _ second: PyPointer, _ third: PyPointer, _ fourth: PyPointer
    ) throws(PythonError) -> PyRef {
        try owned(cpython_call_4(callable, first, second, third, fourth))
    }

    @inlinable public borrowing func isCallable(_ object: PyPointer) -> Bool { PyCallable_Check(object) != 0 }

    /// Whether the object is an instance of a type, or of a subclass.
    public borrowing func isInstance(_ object: PyPointer, _ type: PyPointer) -> Bool {
        PyType_IsSubtype(cpython_type(object), OpaquePointer(type)) != 0
    }

    /// Whether that very type made the object.
    public borrowing func isExactly(_ object: PyPointer, _ type: PyPointer) -> Bool {
        UnsafeRawPointer(cpython_type(object)) == UnsafeRawPointer(type)
    }

    // MARK: Iteration

    public borrowing func iterator(_ object: PyPointer) throws(PythonError) -> PyRef {
        try owned(PyObject_GetIter(object))
    }

    /// The next item; nil at the end.
    public borrowing func next(_ iterator: PyPointer) throws(PythonError) -> PyRef? {
        if let item = PyIter_Next(iterator) { return PyRef(owned: item) }
        if PyErr_Occurred() != nil { throw PythonError() }
        return nil
    }

    // MARK: Reference counts by hand, where a value type cannot hold them

    @inlinable public borrowing func retain(_ object: PyPointer) { cpython_incref(object) }
    @inlinable public borrowing func release(_ object: PyPointer) { cpython_decref(object) }

    /// Whether ours is the only reference, so that the object may be used anew.
    @inlinable public borrowing func isUnique(_ object: PyPointer) -> Bool { cpython_refcount(object) == 1 }

    @inlinable public borrowing func hasReferences(_ object: PyPointer, _ count: Int) -> Bool {
        cpython_refcount(object) == count
    }

    // MARK: Modules

    public borrowing func importModule(_ name: String) throws(PythonError) -> PyRef {
        try owned(PyImport_ImportModule(name))
    }
}
