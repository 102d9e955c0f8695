internal import CPython

/// What the end of an object means to others, as far as its type tells.
///
/// An object that is made immortal never ends. That is right for what nobody could see ending: it holds no resource,
/// runs no code, and tells nobody. Nothing else is known of a type than what stands here, so that whatever is new or
/// foreign is left alone.
struct LifeTraits {
    enum Kind {
        /// It is a value, and refers to nothing that matters.
        case plain
        /// It lives as long as the code does: a class, or a module.
        case lasting
        /// It is memory, and what it refers to may end with it.
        case owner
        /// Something else may happen at its end.
        case foreign
    }

    let kind: Kind
    /// Tells what an object refers to; nil for what refers to nothing that the collector knows.
    let traverse: traverseproc?
    /// Whether there can be weak references to it, by which somebody may wait for its end.
    let isWeakable: Bool
}

/// The traits of types, which are worked out once for each.
struct LifeTraitsTable {
    private let plain: Set<PyPointer>
    private let owners: Set<PyPointer>
    private let withInstances: Bool
    /// `tp_dealloc` of a class that is written in Python, which ends an instance's attributes and then what the base
    /// has.
    private let classDeallocator: UnsafeMutableRawPointer?
    private var types = PointerTable(expected: 4096)
    private var known: [LifeTraits] = []

    init(_ types: ImmortalTypes) {
        plain = types.plain
        owners = types.owners
        withInstances = types.withInstances
        classDeallocator = Self.slot(types.sample, Py_tp_dealloc)
    }

    /// The number of the traits of an object's type.
    mutating func number(of object: PyPointer) -> Int {
        let type = cpython_object_type(object)!
        let (number, isNew) = types.number(type)
        if isNew { known.append(workOut(type)) }
        return number
    }

    subscript(_ number: Int) -> LifeTraits { known[number] }

    private func workOut(_ type: PyPointer) -> LifeTraits {
        let flags = Self.flags(type)
        let isCollected = flags & UInt(1 << 14) != 0
        let traverse = isCollected ? unsafeBitCast(Self.slot(type, Py_tp_traverse), to: traverseproc?.self) : nil
        return LifeTraits(kind: kind(type, flags), traverse: traverse, isWeakable: Self.isWeakable(type))
    }

    private func kind(_ type: PyPointer, _ flags: UInt) -> LifeTraits.Kind {
        if plain.contains(type) { return .plain }
        if owners.contains(type) { return .owner }
        // Its instances are classes.
        if flags & UInt(1 << 31) != 0 { return .lasting }
        return withInstances && isWrittenInPython(type) ? .owner : .foreign
    }

    /// Whether it is a class written in Python without `__del__`, on top of something that is memory alone.
    private func isWrittenInPython(_ type: PyPointer) -> Bool {
        guard Self.slot(type, Py_tp_finalize) == nil, Self.slot(type, Py_tp_del) == nil else { return false }
        var base = type
        while Self.flags(base) & UInt(1 << 9) != 0, Self.slot(base, Py_tp_dealloc) == classDeallocator {
            guard let next = Self.slot(base, Py_tp_base) else { return false }
            base = next.assumingMemoryBound(to: PyObject.self)
        }
        return base != type && (owners.contains(base) || plain.contains(base))
    }

    private static func isWeakable(_ type: PyPointer) -> Bool {
        guard let offset = PyObject_GetAttrString(type, "__weakrefoffset__") else {
            PyErr_Clear()
            return true
        }
        defer { cpython_decref(offset) }
        return PyLong_AsLong(offset) != 0
    }

    static func flags(_ type: PyPointer) -> UInt {
        UInt(PyType_GetFlags(OpaquePointer(type)))
    }

    private static func slot(_ type: PyPointer, _ slot: Int32) -> UnsafeMutableRawPointer? {
        PyType_GetSlot(OpaquePointer(type), slot)
    }
}
