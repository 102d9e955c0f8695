internal import Platform
internal import PythonBridge

/// `immortalize(objects, modules, namespaces, plain, owners, tools) -> int | None`.
let immortalize: NativeMethod = { _, values, count, names in
    GIL.calledByPython { (gil) throws(PythonError) in
        let arguments = Arguments(values, count, names)
        try arguments.check("immortalize", 6...6, gil: gil)
        var given: [PyPointer] = []
        for index in 0..<6 {
            guard let value = try arguments.get(index, gil: gil), gil.isPlainSequence(value) else {
                throw gil.raise(.typeError, "immortalize() needs lists and tuples")
            }
            given.append(value)
        }
        guard gil.count(given[5]) == 5 else {
            throw gil.raise(.typeError, "immortalize() needs five tools")
        }
        let types = ImmortalTypes(
            plain: try gil.set(of: given[3]), owners: try gil.set(of: given[4]), sample: try gil.item(given[5], 0),
            code: try gil.item(given[5], 1), countWeakReferences: try gil.item(given[5], 2),
            withInstances: try gil.isTrue(try gil.item(given[5], 4)))
        let count = try gil.immortalize(
            given[0], modules: given[1], namespaces: given[2], types: types, model: try gil.item(given[5], 3))
        return try count.map { (count) throws(PythonError) in try gil.integer(count).leak() } ?? gil.newNone()
    }
}

/// `fill_holes(pools) -> None`.
let fillHoles: NativeMethod = { _, values, count, names in
    GIL.calledByPython { (gil) throws(PythonError) in
        let arguments = Arguments(values, count, names)
        try arguments.check("fill_holes", 1...1, gil: gil)
        if let pools = try arguments.get(0, gil: gil), try gil.isTrue(pools) { ObjectPools.fill(gil) }
        HeapHoles.fill()
        return gil.newNone()
    }
}

extension GIL {
    /// The items of a list or tuple, as they stand there: it keeps them.
    fileprivate borrowing func set(of sequence: PyPointer) throws(PythonError) -> Set<PyPointer> {
        var items: Set<PyPointer> = []
        for index in 0..<count(sequence) { items.insert(try item(sequence, index)) }
        return items
    }
}
