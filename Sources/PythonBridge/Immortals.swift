internal import CPython

/// What `GIL.immortalize` is told about types.
public struct ImmortalTypes {
    let plain: Set<PyPointer>
    let owners: Set<PyPointer>
    let sample: PyPointer
    let code: PyPointer
    let countWeakReferences: PyPointer
    let withInstances: Bool

    /// - Parameters:
    ///   - plain: types of values, which refer to nothing that matters.
    ///   - owners: types of what is memory alone.
    ///   - sample: a class written in Python.
    ///   - code: the type of code objects.
    ///   - countWeakReferences: `weakref.getweakrefcount`.
    ///   - withInstances: whether instances of classes written in Python are memory alone, where their bases are.
    public init(
        plain: Set<PyPointer>, owners: Set<PyPointer>, sample: PyPointer, code: PyPointer,
        countWeakReferences: PyPointer, withInstances: Bool
    ) {
        self.plain = plain
        self.owners = owners
        self.sample = sample
        self.code = code
        self.countWeakReferences = countWeakReferences
        self.withInstances = withInstances
    }
}

/// Immortal objects (PEP 683): CPython 3.12 and later neither counts the references to them nor collects them. A forked
/// process that uses one does not write to it, and goes on sharing its page.
extension GIL {
    /// Makes immortal whatever nobody could see ending (`ObjectGraph`), and takes it off the collector's lists, as
    /// CPython 3.13 does itself with what is immortal.
    ///
    /// - Parameters:
    ///   - objects: a list of those that the collector knows.
    ///   - modules: a list of modules.
    ///   - namespaces: a list of their namespaces.
    ///   - model: an object that is immortal in every interpreter that has such, and that nobody counts.
    /// - Returns: how many have become immortal; nil where this interpreter has no immortal objects.
    public borrowing func immortalize(
        _ objects: PyPointer, modules: PyPointer, namespaces: PyPointer, types: ImmortalTypes, model: PyPointer
    ) throws(PythonError) -> Int? {
        let mark = cpython_lower_count(model)
        guard mark & 0x8000_0000 != 0, try keepsMark(mark, types.sample) else { return nil }
        var graph = ObjectGraph(
            traits: LifeTraitsTable(types),
            code: types.code, countWeakReferences: types.countWeakReferences, expected: count(objects))
        for argument in [objects, modules, namespaces] { graph.add(foreign: argument) }
        for index in 0..<count(modules) { graph.add(module: try item(modules, index)) }
        for index in 0..<count(namespaces) { graph.add(namespace: try item(namespaces, index)) }
        for index in 0..<count(objects) { graph.add(try item(objects, index)) }
        graph.explore()
        graph.judge()
        var marked = 0
        graph.forEachUnawaited { object in
            guard cpython_is_immortal(object) == 0 else { return }
            cpython_set_lower_count(object, mark)
            if PyObject_GC_IsTracked(object) != 0 { PyObject_GC_UnTrack(object) }
            marked += 1
        }
        return marked
    }

    /// Whether the interpreter leaves the count of a marked object as it is: tried on one that is lost to that.
    private borrowing func keepsMark(_ mark: UInt32, _ sample: PyPointer) throws(PythonError) -> Bool {
        let probe = try call(sample).leak()
        let before = cpython_refcount(probe)
        cpython_set_lower_count(probe, mark)
        let list = try list()
        for _ in 0..<3 { try append(list.pointer, probe) }
        var isKept = cpython_lower_count(probe) == mark
        try check(PyList_SetSlice(list.pointer, 0, 3, nil))
        isKept = isKept && cpython_lower_count(probe) == mark
        if !isKept {
            // It counts after all, and is an object as any other.
            cpython_set_lower_count(probe, UInt32(truncatingIfNeeded: before))
            cpython_decref(probe)
        }
        return isKept
    }
}
