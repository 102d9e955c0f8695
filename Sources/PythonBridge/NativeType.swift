public import CPython

/// A method of a native type: positional arguments as an array, keywords behind them (CPython's `METH_FASTCALL |
/// METH_KEYWORDS`). Returns a new reference, or nil with an exception set.
public typealias NativeMethod =
    @convention(c) (PyPointer?, UnsafePointer<PyPointer?>?, Int, PyPointer?) -> PyPointer?

/// A Python type whose instances carry a Swift object, made at run time from the limited API's `PyType_FromSpec`.
///
/// Types are made once and live as long as the process: CPython keeps pointers into their descriptions.
public struct NativeType {
    /// The type object, which lives as long as the process.
    public let type: PyPointer

    /// What instances can do beside their methods.
    public struct Slots {
        /// How Python code makes one; without it, only Swift does.
        public var new: newfunc?
        /// `__iter__`.
        public var iterator: getiterfunc?
        /// `__next__`.
        public var next: iternextfunc?
        /// Read-only attributes.
        public var getters: [(name: StaticString, body: getter)] = []

        /// None of them.
        public init() {}
    }

    /// - Parameters:
    ///   - name: with its module, `monoceros.InputStream`.
    ///   - isGarbageCollected: instances hold references (`references` of the box) that may form cycles.
    public static func make(
        name: StaticString, doc: StaticString, methods: [(name: StaticString, body: NativeMethod)],
        slots: Slots = Slots(), isGarbageCollected: Bool = false, isSubclassable: Bool = false, _ gil: borrowing GIL
    ) throws(PythonError) -> NativeType {
        let table = makeTable(methods)
        var entries: [PyType_Slot] = []
        func add(_ slot: Int32, _ function: UnsafeMutableRawPointer?) {
            if let function { entries.append(PyType_Slot(slot: slot, pfunc: function)) }
        }
        add(Py_tp_doc, UnsafeMutableRawPointer(mutating: doc.utf8Start))
        add(Py_tp_methods, table)
        add(Py_tp_new, raw(slots.new))
        add(Py_tp_iter, raw(slots.iterator))
        add(Py_tp_iternext, raw(slots.next))
        if !slots.getters.isEmpty {
            let attributes = UnsafeMutablePointer<PyGetSetDef>.allocate(capacity: slots.getters.count + 1)
            for (index, getter) in slots.getters.enumerated() {
                (attributes + index).initialize(
                    to: PyGetSetDef(
                        name: UnsafeRawPointer(getter.name.utf8Start).assumingMemoryBound(to: CChar.self),
                        get: getter.body, set: nil, doc: nil, closure: nil))
            }
            (attributes + slots.getters.count).initialize(to: PyGetSetDef())
            add(Py_tp_getset, attributes)
        }
        if isGarbageCollected {
            let traverse: traverseproc = { box, visit, argument in NativeType.traverse(box, visit, argument) }
            let clear: inquiry = { box in NativeType.clear(box) }
            add(Py_tp_traverse, raw(traverse))
            add(Py_tp_clear, raw(clear))
            let deallocate: destructor = { box in NativeType.deallocate(box, isGarbageCollected: true) }
            add(Py_tp_dealloc, raw(deallocate))
        } else {
            let deallocate: destructor = { box in NativeType.deallocate(box, isGarbageCollected: false) }
            add(Py_tp_dealloc, raw(deallocate))
        }
        entries.append(PyType_Slot(slot: 0, pfunc: nil))

        var flags = UInt32(Py_TPFLAGS_DEFAULT)
        if isGarbageCollected { flags |= UInt32(1) << 14 }
        if isSubclassable { flags |= UInt32(1) << 10 }
        if slots.new == nil { flags |= UInt32(1) << 7 }
        let made = entries.withUnsafeMutableBufferPointer { entries in
            var spec = PyType_Spec(
                name: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
                basicsize: Int32(MemoryLayout<CPythonBox>.size), itemsize: 0, flags: flags,
                slots: entries.baseAddress)
            return PyType_FromSpec(&spec)
        }
        return NativeType(type: try gil.owned(made).leak())
    }

    /// A function object bound to `receiver`, which its body gets as first argument.
    public static func function(
        _ definition: UnsafeMutablePointer<PyMethodDef>, receiver: PyPointer, _ gil: borrowing GIL
    ) throws(PythonError) -> PyRef {
        try gil.owned(PyCFunction_NewEx(definition, receiver, nil))
    }

    /// Method definitions, ended by an empty one, that live as long as the process.
    static func makeTable(_ methods: [(name: StaticString, body: NativeMethod)]) -> UnsafeMutablePointer<PyMethodDef> {
        let table = UnsafeMutablePointer<PyMethodDef>.allocate(capacity: methods.count + 1)
        for (index, method) in methods.enumerated() {
            (table + index).initialize(to: definition(method.name, method.body))
        }
        (table + methods.count).initialize(to: PyMethodDef())
        return table
    }

    /// A definition that lives as long as the process, as CPython requires.
    public static func makeDefinition(
        _ name: StaticString, _ body: NativeMethod
    ) -> UnsafeMutablePointer<PyMethodDef> {
        let pointer = UnsafeMutablePointer<PyMethodDef>.allocate(capacity: 1)
        pointer.initialize(to: definition(name, body))
        return pointer
    }

    private static func definition(_ name: StaticString, _ body: NativeMethod) -> PyMethodDef {
        PyMethodDef(
            ml_name: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
            // The flags tell CPython the real signature; C does the same cast.
            ml_meth: unsafeBitCast(body, to: PyCFunction.self),
            ml_flags: METH_FASTCALL | METH_KEYWORDS, ml_doc: nil)
    }

    private static func raw<Function>(_ function: Function?) -> UnsafeMutableRawPointer? {
        guard let function else { return nil }
        // Slots are untyped in the limited API: a C function pointer as a `void *`.
        return unsafeBitCast(function, to: UnsafeMutableRawPointer.self)
    }

    // MARK: Instances

    /// A new instance that keeps `payload` alive.
    public func wrap(_ payload: AnyObject, _ gil: borrowing GIL) throws(PythonError) -> PyRef {
        let object = try gil.owned(PyType_GenericAlloc(OpaquePointer(type), 0))
        NativeType.box(object.pointer).pointee.payload = Unmanaged.passRetained(payload).toOpaque()
        return object
    }

    /// A new instance of this type or of a subclass of it, for a `new` slot.
    public static func allocate(_ type: OpaquePointer, _ gil: borrowing GIL) throws(PythonError) -> PyRef {
        try gil.owned(PyType_GenericAlloc(type, 0))
    }

    /// The Swift object of an instance. Only for instances of types of ours whose payload is known to be of that class.
    public static func payload<Payload: AnyObject>(_ object: PyPointer, as _: Payload.Type) -> Payload? {
        guard let payload = box(object).pointee.payload else { return nil }
        return Unmanaged<Payload>.fromOpaque(payload).takeUnretainedValue()
    }

    /// The same for a call during which somebody holds the instance: its object is not retained.
    @inlinable @inline(__always)
    public static func withPayload<Payload: AnyObject>(
        _ object: PyPointer, as _: Payload.Type, _ body: (Payload) throws(PythonError) -> Void
    ) throws(PythonError) {
        guard let payload = payloadPointer(object) else { return }
        var failure: PythonError?
        Unmanaged<Payload>.fromOpaque(payload)._withUnsafeGuaranteedRef {
            do throws(PythonError) { try body($0) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    @usableFromInline
    static func payloadPointer(_ object: PyPointer) -> UnsafeMutableRawPointer? { box(object).pointee.payload }

    /// A reference that the instance holds, by number (0 or 1); nil when it holds none there.
    public static func reference(_ object: PyPointer, _ index: Int) -> PyPointer? {
        index == 0 ? box(object).pointee.references.0 : box(object).pointee.references.1
    }

    /// Lets a new instance hold a reference.
    public static func setReference(_ object: PyPointer, _ index: Int, _ value: consuming PyRef) {
        let pointer = value.leak()
        if index == 0 {
            box(object).pointee.references.0 = pointer
        } else {
            box(object).pointee.references.1 = pointer
        }
    }

    static func box(_ object: PyPointer) -> UnsafeMutablePointer<CPythonBox> {
        UnsafeMutableRawPointer(object).assumingMemoryBound(to: CPythonBox.self)
    }

    private static func deallocate(_ object: PyPointer?, isGarbageCollected: Bool) {
        guard let object else { return }
        let type = cpython_type(object)!
        if isGarbageCollected {
            PyObject_GC_UnTrack(object)
            dropReferences(object)
        }
        if let payload = box(object).pointee.payload { Unmanaged<AnyObject>.fromOpaque(payload).release() }
        // A subclass written in Python has its own way to free.
        let free = unsafeBitCast(PyType_GetSlot(type, Py_tp_free), to: freefunc.self)
        free(object)
        // Instances of heap types own a reference to their type.
        cpython_decref(PyPointer(type))
    }

    // One set for all threads: the lock guards it, and a thread that takes the lock in between just does some of the
    // work.
    private nonisolated(unsafe) static var depth = 0
    private nonisolated(unsafe) static var postponed: [PyPointer] = []

    /// Gives up what an instance holds. Wrappers can wrap wrappers, as deep as an application likes: past some depth
    /// the references are put aside for the outermost instance, so that the C stack is not used up (CPython's
    /// "trashcan").
    private static func dropReferences(_ object: PyPointer) {
        let isTooDeep = depth >= 100
        if isTooDeep {
            let held = box(object).pointee.references
            box(object).pointee.references = (nil, nil)
            if let reference = held.0 { postponed.append(reference) }
            if let reference = held.1 { postponed.append(reference) }
            return
        }
        depth += 1
        _ = clear(object)
        if depth == 1 {
            while let reference = postponed.popLast() { cpython_decref(reference) }
        }
        depth -= 1
    }

    private static func traverse(_ object: PyPointer?, _ visit: visitproc?, _ argument: UnsafeMutableRawPointer?)
        -> Int32
    {
        guard let object, let visit else { return 0 }
        let type = PyPointer(cpython_type(object)!)
        for reference in [box(object).pointee.references.0, box(object).pointee.references.1, type] {
            if let reference {
                let result = visit(reference, argument)
                if result != 0 { return result }
            }
        }
        return 0
    }

    private static func clear(_ object: PyPointer?) -> Int32 {
        guard let object else { return 0 }
        let held = box(object).pointee.references
        box(object).pointee.references = (nil, nil)
        if let reference = held.0 { cpython_decref(reference) }
        if let reference = held.1 { cpython_decref(reference) }
        return 0
    }
}
