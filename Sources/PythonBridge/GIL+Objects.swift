public import CPython

/// Making and reading plain objects.
extension GIL {
    /// An owned result of a call into CPython, or the exception that it set.
    @inlinable borrowing func owned(_ result: PyPointer?) throws(PythonError) -> PyRef {
        guard let result else { throw PythonError() }
        return PyRef(owned: result)
    }

    @inlinable borrowing func check(_ status: Int32) throws(PythonError) {
        if status < 0 { throw PythonError() }
    }

    // MARK: Singletons, never released

    /// `None`.
    @inlinable public borrowing func none() -> PyPointer { cpython_none() }
    /// `True` or `False`.
    @inlinable public borrowing func bool(_ value: Bool) -> PyPointer { value ? cpython_true() : cpython_false() }
    /// A reference to `None` of its own, for a function to return.
    @inlinable public borrowing func newNone() -> PyPointer {
        cpython_incref(cpython_none())
        return cpython_none()
    }

    // MARK: Strings and bytes

    /// A `str` of Latin-1 bytes, which is what PEP 3333 calls a native string.
    @inlinable public borrowing func string(latin1 bytes: UnsafeRawBufferPointer) throws(PythonError) -> PyRef {
        try owned(
            PyUnicode_DecodeLatin1(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, nil))
    }

    /// The same of part of an array.
    public borrowing func string(latin1 bytes: ArraySlice<UInt8>) throws(PythonError) -> PyRef {
        let made = bytes.withUnsafeBytes { bytes in
            PyUnicode_DecodeLatin1(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, nil)
        }
        return try owned(made)
    }

    /// A `str` of a Swift string.
    public borrowing func string(_ text: String) throws(PythonError) -> PyRef {
        var text = text
        return try owned(
            text.withUTF8 { utf8 in
                utf8.withMemoryRebound(to: CChar.self) { PyUnicode_FromStringAndSize($0.baseAddress, $0.count) }
            })
    }

    /// An interned `str`: one object for all equal ones, with its hash computed.
    public borrowing func interned(_ text: String) throws(PythonError) -> PyRef {
        try owned(PyUnicode_InternFromString(text))
    }

    /// Whether it is a `str`, or of a subclass.
    @inlinable public borrowing func isString(_ object: borrowing some PythonObject) -> Bool {
        cpython_is_str(object.pointer) != 0
    }
    /// Whether it is a `bytes`, or of a subclass.
    @inlinable public borrowing func isBytes(_ object: borrowing some PythonObject) -> Bool {
        cpython_is_bytes(object.pointer) != 0
    }

    /// The Latin-1 bytes of a `str`.
    ///
    /// - Throws: `PythonError` (UnicodeEncodeError) when a character is not in Latin-1.
    @inlinable public borrowing func withLatin1<Result>(
        _ text: borrowing some PythonObject, _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(PythonError) -> Result {
        var count = 0
        guard let utf8 = PyUnicode_AsUTF8AndSize(text.pointer, &count) else { throw PythonError() }
        // As many bytes as characters: all ASCII, for which UTF-8 and Latin-1 are the same, and no copy was made.
        if count == PyUnicode_GetLength(text.pointer) { return body(UnsafeRawBufferPointer(start: utf8, count: count)) }
        let encoded = try owned(PyUnicode_AsLatin1String(text.pointer))
        return body(try bytes(of: encoded.pointer))
    }

    /// The bytes of a `str` that is all ASCII, which live as long as it does; nil for any other.
    @inlinable public borrowing func ascii(_ text: borrowing some PythonObject) -> UnsafeRawBufferPointer? {
        var count = 0
        guard let utf8 = PyUnicode_AsUTF8AndSize(text.pointer, &count) else {
            PyErr_Clear()
            return nil
        }
        return count == PyUnicode_GetLength(text.pointer) ? UnsafeRawBufferPointer(start: utf8, count: count) : nil
    }

    /// The UTF-8 bytes of a `str`, which live as long as it does.
    ///
    /// - Throws: `PythonError` (UnicodeEncodeError) for a lone surrogate.
    @inlinable public borrowing func withUTF8<Result>(
        _ text: borrowing some PythonObject, _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(PythonError) -> Result {
        var count = 0
        guard let utf8 = PyUnicode_AsUTF8AndSize(text.pointer, &count) else { throw PythonError() }
        return body(UnsafeRawBufferPointer(start: utf8, count: count))
    }

    /// A Swift string of a `str`; with replacement characters where it has lone surrogates.
    public borrowing func text(_ object: borrowing some PythonObject) -> String? {
        guard isString(object.pointer), let encoded = PyUnicode_AsEncodedString(object.pointer, "utf-8", "replace")
        else {
            PyErr_Clear()
            return nil
        }
        let owner = PyRef(owned: encoded)
        return (try? bytes(of: owner.pointer)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The contents of a `bytes`, valid while it lives.
    ///
    /// - Throws: `PythonError` (TypeError) for anything else.
    @inlinable public borrowing func bytes(of object: borrowing some PythonObject) throws(PythonError)
        -> UnsafeRawBufferPointer
    {
        var start: UnsafeMutablePointer<CChar>?
        var count = 0
        guard PyBytes_AsStringAndSize(object.pointer, &start, &count) == 0 else { throw PythonError() }
        return UnsafeRawBufferPointer(start: start, count: count)
    }

    /// A new `bytes` of `count` bytes that `fill` writes before anybody else sees it; it returns how many it wrote.
    public borrowing func makeBytes(
        count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int
    ) throws(PythonError) -> PyRef {
        let object = try owned(PyBytes_FromStringAndSize(nil, count))
        let start = PyBytes_AsString(object.pointer)
        let written = fill(UnsafeMutableRawBufferPointer(start: start, count: count))
        precondition(written >= 0 && written <= count)
        // Shrinking in place is not in the limited API.
        return written == count ? object : try owned(PyBytes_FromStringAndSize(start, written))
    }

    /// The same with the lock released while `fill` waits for the bytes. Nobody else knows the object yet.
    public mutating func makeBytesReleased(
        count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int
    ) throws(PythonError) -> PyRef {
        let object = try owned(PyBytes_FromStringAndSize(nil, count))
        let target = UnsafeMutableRawBufferPointer(start: PyBytes_AsString(object.pointer), count: count)
        let written = released { fill(target) }
        precondition(written <= count)
        return written == count ? object : try makeBytes(UnsafeRawBufferPointer(rebasing: target[..<max(0, written)]))
    }

    /// A new `bytes` with a copy.
    @inlinable public borrowing func makeBytes(_ contents: UnsafeRawBufferPointer) throws(PythonError) -> PyRef {
        try owned(
            PyBytes_FromStringAndSize(contents.baseAddress?.assumingMemoryBound(to: CChar.self), contents.count))
    }

    // MARK: Numbers

    /// A new `int`.
    public borrowing func integer(_ value: Int) throws(PythonError) -> PyRef { try owned(PyLong_FromLong(value)) }

    /// - Throws: `PythonError` when the object is no integer, or one too large for a machine word.
    public borrowing func int(_ object: borrowing some PythonObject) throws(PythonError) -> Int {
        let value = PyLong_AsSsize_t(object.pointer)
        if value == -1, PyErr_Occurred() != nil { throw PythonError() }
        return value
    }

    /// The value of an integer that fits a machine word; nil for everything else.
    public borrowing func integerValue(_ object: borrowing some PythonObject) -> Int? {
        let value = PyLong_AsSsize_t(object.pointer)
        guard value == -1, PyErr_Occurred() != nil else { return value }
        PyErr_Clear()
        return nil
    }

    /// What `repr()` says of an object.
    public borrowing func representation(_ object: borrowing some PythonObject) throws(PythonError) -> PyRef {
        try owned(PyObject_Repr(object.pointer))
    }

    /// What `bool()` says of an object. Throws what its `__bool__` raises.
    public borrowing func isTrue(_ object: borrowing some PythonObject) throws(PythonError) -> Bool {
        let answer = PyObject_IsTrue(object.pointer)
        try check(answer)
        return answer != 0
    }
}
