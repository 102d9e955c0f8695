public import CPython

/// Dictionaries, lists, tuples, attributes, calls, iteration.
extension GIL {
    // MARK: Dictionaries

    /// A new, empty dictionary.
    public borrowing func dictionary() throws(PythonError) -> PyRef { try owned(PyDict_New()) }

    /// A shallow copy of a dictionary.
    @inlinable public borrowing func copy(dictionary: borrowing some PythonObject) throws(PythonError) -> PyRef {
        try owned(PyDict_Copy(dictionary.pointer))
    }

    /// Sets `dictionary[key]`. Throws `PythonError` where the key cannot be hashed, or no memory is left.
    @inlinable public borrowing func set(
        _ dictionary: borrowing some PythonObject, _ key: borrowing some PythonObject,
        _ value: borrowing some PythonObject
    ) throws(PythonError) {
        try check(PyDict_SetItem(dictionary.pointer, key.pointer, value.pointer))
    }

    /// Removes a key. Throws `PythonError` (KeyError) where it is not there.
    public borrowing func remove(_ dictionary: borrowing some PythonObject, _ key: borrowing some PythonObject)
        throws(PythonError)
    {
        try check(PyDict_DelItem(dictionary.pointer, key.pointer))
    }

    /// The value for a key, owned by the dictionary; nil when there is none.
    @inlinable public borrowing func get(_ dictionary: borrowing some PythonObject, _ key: borrowing some PythonObject)
        throws(PythonError) -> PyPointer?
    {
        if let value = PyDict_GetItemWithError(dictionary.pointer, key.pointer) { return value }
        if PyErr_Occurred() != nil { throw PythonError() }
        return nil
    }

    /// Whether it is a `dict`, or of a subclass.
    public borrowing func isDictionary(_ object: borrowing some PythonObject) -> Bool {
        cpython_is_dict(object.pointer) != 0
    }

    /// A list of a tuple for each entry, key and value.
    public borrowing func items(dictionary: borrowing some PythonObject) throws(PythonError) -> PyRef {
        try owned(PyDict_Items(dictionary.pointer))
    }

    // MARK: Sequences

    /// Whether it is a `list`, or of a subclass.
    @inlinable public borrowing func isList(_ object: borrowing some PythonObject) -> Bool {
        cpython_is_list(object.pointer) != 0
    }
    /// Whether it is a `tuple`, or of a subclass.
    @inlinable public borrowing func isTuple(_ object: borrowing some PythonObject) -> Bool {
        cpython_is_tuple(object.pointer) != 0
    }

    /// Whether it is exactly a `list` or a `tuple`: no subclass that could behave in its own way, and no `close`.
    @inlinable public borrowing func isPlainSequence(_ object: borrowing some PythonObject) -> Bool {
        cpython_is_list_exact(object.pointer) != 0 || cpython_is_tuple_exact(object.pointer) != 0
    }

    /// Items of a list or tuple.
    @inlinable public borrowing func count(_ sequence: borrowing some PythonObject) -> Int {
        cpython_is_list(sequence.pointer) != 0 ? PyList_Size(sequence.pointer) : PyTuple_Size(sequence.pointer)
    }

    /// What `len()` says of an object; nil for one that has none, or whose `__len__` raises.
    public borrowing func length(_ object: borrowing some PythonObject) -> Int? {
        // Asking for the slot first spares the usual case, a generator, an exception.
        guard let type = cpython_type(object.pointer),
            PyType_GetSlot(type, Py_sq_length) != nil || PyType_GetSlot(type, Py_mp_length) != nil
        else { return nil }
        let count = PyObject_Size(object.pointer)
        guard count >= 0 else {
            PyErr_Clear()
            return nil
        }
        return count
    }

    /// An item of a list or tuple, owned by it.
    @inlinable public borrowing func item(_ sequence: borrowing some PythonObject, _ index: Int) throws(PythonError)
        -> PyPointer
    {
        let item =
            cpython_is_list(sequence.pointer) != 0
            ? PyList_GetItem(sequence.pointer, index) : PyTuple_GetItem(sequence.pointer, index)
        guard let item else { throw PythonError() }
        return item
    }

    /// A new, empty list.
    public borrowing func list() throws(PythonError) -> PyRef { try owned(PyList_New(0)) }

    /// Appends to a list.
    public borrowing func append(_ list: borrowing some PythonObject, _ item: borrowing some PythonObject)
        throws(PythonError)
    {
        try check(PyList_Append(list.pointer, item.pointer))
    }

    /// A new tuple of two.
    public borrowing func pair(_ first: borrowing some PythonObject, _ second: borrowing some PythonObject)
        throws(PythonError) -> PyRef
    {
        let tuple = try owned(PyTuple_New(2))
        // `PyTuple_SetItem` takes the references over.
        try check(PyTuple_SetItem(tuple.pointer, 0, PyRef(retaining: first.pointer).leak()))
        try check(PyTuple_SetItem(tuple.pointer, 1, PyRef(retaining: second.pointer).leak()))
        return tuple
    }

    // MARK: Attributes and calls

    /// An attribute by a name that is a `str` already. Throws `PythonError` (AttributeError) where there is none.
    @inlinable public borrowing func attribute(
        _ object: borrowing some PythonObject, _ name: borrowing some PythonObject
    ) throws(PythonError) -> PyRef {
        try owned(PyObject_GetAttr(object.pointer, name.pointer))
    }

    /// An attribute. Throws `PythonError` (AttributeError) where there is none.
    public borrowing func attribute(_ object: borrowing some PythonObject, _ name: String) throws(PythonError) -> PyRef
    {
        try owned(PyObject_GetAttrString(object.pointer, name))
    }

    /// Nil when the object has no such attribute; any other exception of the look-up is raised.
    public borrowing func attributeIfPresent(
        _ object: borrowing some PythonObject, _ name: borrowing some PythonObject
    ) throws(PythonError) -> PyRef? {
        if let value = PyObject_GetAttr(object.pointer, name.pointer) { return PyRef(owned: value) }
        guard PyErr_ExceptionMatches(cpython_AttributeError()) != 0 else { throw PythonError() }
        PyErr_Clear()
        return nil
    }

    /// Calls an object without arguments, as the others do with some. Throws what the call raises.
    @inlinable public borrowing func call(_ callable: borrowing some PythonObject) throws(PythonError) -> PyRef {
        try owned(cpython_call_0(callable.pointer))
    }

    @inlinable public borrowing func call(_ callable: borrowing some PythonObject, _ first: borrowing some PythonObject)
        throws(PythonError) -> PyRef
    {
        try owned(cpython_call_1(callable.pointer, first.pointer))
    }

    @inlinable public borrowing func call(
        _ callable: borrowing some PythonObject, _ first: borrowing some PythonObject,
        _ second: borrowing some PythonObject
    ) throws(PythonError) -> PyRef {
        try owned(cpython_call_2(callable.pointer, first.pointer, second.pointer))
    }

    public borrowing func call(
        _ callable: borrowing some PythonObject, _ first: borrowing some PythonObject,
        _ second: borrowing some PythonObject, _ third: borrowing some PythonObject
    ) throws(PythonError) -> PyRef {
        try owned(cpython_call_3(callable.pointer, first.pointer, second.pointer, third.pointer))
    }

    public borrowing func call(
        _ callable: borrowing some PythonObject, _ first: borrowing some PythonObject,
        _ second: borrowing some PythonObject, _ third: borrowing some PythonObject,
        _ fourth: borrowing some PythonObject
    ) throws(PythonError) -> PyRef {
        try owned(cpython_call_4(callable.pointer, first.pointer, second.pointer, third.pointer, fourth.pointer))
    }

    /// Calls with the items of a list as arguments.
    public borrowing func call(
        _ callable: borrowing some PythonObject, list: borrowing some PythonObject
    ) throws(PythonError) -> PyRef {
        let arguments = try owned(PyList_AsTuple(list.pointer))
        return try owned(PyObject_CallObject(callable.pointer, arguments.pointer))
    }

    /// Whether the object is an instance of a type, or of a subclass.
    public borrowing func isInstance(_ object: borrowing some PythonObject, _ type: borrowing some PythonObject) -> Bool
    {
        PyType_IsSubtype(cpython_type(object.pointer), OpaquePointer(type.pointer)) != 0
    }

    /// Whether that very type made the object.
    public borrowing func isExactly(_ object: borrowing some PythonObject, _ type: borrowing some PythonObject) -> Bool
    {
        UnsafeRawPointer(cpython_type(object.pointer)) == UnsafeRawPointer(type.pointer)
    }

    // MARK: Iteration

    /// What `iter()` makes of an object. Throws `PythonError` (TypeError) where that is nothing.
    public borrowing func iterator(_ object: borrowing some PythonObject) throws(PythonError) -> PyRef {
        try owned(PyObject_GetIter(object.pointer))
    }

    /// The next item; nil at the end.
    public borrowing func next(_ iterator: borrowing some PythonObject) throws(PythonError) -> PyRef? {
        if let item = PyIter_Next(iterator.pointer) { return PyRef(owned: item) }
        if PyErr_Occurred() != nil { throw PythonError() }
        return nil
    }

    // MARK: Reference counts by hand, where a value type cannot hold them

    /// Adds a reference to an object.
    @inlinable public borrowing func retain(_ object: borrowing some PythonObject) { cpython_incref(object.pointer) }
    /// Gives a reference up; with the last one, code of the object (`__del__`) may run.
    @inlinable public borrowing func release(_ object: borrowing some PythonObject) { cpython_decref(object.pointer) }

    /// Gives up references that travelled as untyped owners.
    public borrowing func release(owners: [UnsafeMutableRawPointer]) {
        for owner in owners { cpython_decref(owner.assumingMemoryBound(to: PyObject.self)) }
    }

    /// Whether ours is the only reference, so that the object may be used anew.
    @inlinable public borrowing func isUnique(_ object: borrowing some PythonObject) -> Bool {
        cpython_refcount(object.pointer) == 1
    }

    /// Whether an object has exactly so many references.
    @inlinable public borrowing func hasReferences(_ object: borrowing some PythonObject, _ count: Int) -> Bool {
        cpython_refcount(object.pointer) == count
    }

    // MARK: Modules

    /// Imports a module. Throws what the import raises.
    public borrowing func importModule(_ name: String) throws(PythonError) -> PyRef {
        try owned(PyImport_ImportModule(name))
    }
}
