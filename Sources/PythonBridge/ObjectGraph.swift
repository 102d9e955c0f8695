internal import CPython

/// Python's objects, as far as one finds them from those that the collector knows, and which of them nobody could see
/// ending.
///
/// ```
///  namespace of a module ─► function ─► tuple of defaults ─► str        all of these
///                      └──► list ─► instance ─► socket                  none of these but the namespace
/// ```
///
/// Whatever refers to something whose end matters may be what keeps it alive, and is left alone as well. The way ends
/// at classes, modules and their namespaces: these live as long as the code, so that nobody's end is theirs.
struct ObjectGraph {
    private var traits: LifeTraitsTable
    private var objects: PointerTable
    /// By the objects' numbers.
    private var states: [State] = []
    /// The numbers of the traits of the objects' types.
    private var types: [UInt32] = []
    private var edges: [Edge] = []
    /// Whose references are being told, and how many have been.
    private var current = 0
    private var told = 0
    private let code: PyPointer
    private let countWeakReferences: PyPointer

    private struct Edge {
        let owner: UInt32
        let owned: UInt32
    }

    private enum State: UInt8 {
        case plain, lasting, owner
        /// It is counted, and what refers to it need not be.
        case counted
        /// It is left alone.
        case foreign
    }

    /// - Parameters:
    ///   - code: the type of code objects, which do not tell the collector what they refer to.
    ///   - countWeakReferences: `weakref.getweakrefcount`.
    ///   - expected: how many objects the collector knows.
    init(traits: LifeTraitsTable, code: PyPointer, countWeakReferences: PyPointer, expected: Int) {
        self.traits = traits
        self.code = code
        self.countWeakReferences = countWeakReferences
        // The collector knows a quarter of what there is: no code, no strings, few tuples.
        objects = PointerTable(expected: expected * 5)
        states.reserveCapacity(expected * 5)
        types.reserveCapacity(expected * 5)
        edges.reserveCapacity(expected * 5)
    }

    // MARK: Finding

    /// Adds a module. It lasts, and is counted all the same: on its way out Python empties the modules that have not
    /// gone by themselves, and what is in them would end at a time at which it cannot do much.
    mutating func add(module: PyPointer) { add(module, .counted) }
    /// Adds the namespace of one.
    mutating func add(namespace: PyPointer) { add(namespace, .lasting) }
    /// Adds an object that is left alone.
    mutating func add(foreign object: PyPointer) { add(object, .foreign) }
    mutating func add(_ object: PyPointer) { _ = number(of: object) }

    private mutating func add(_ object: PyPointer, _ state: State) {
        let number = number(of: object)
        states[number] = state
    }

    /// Finds whatever can be found from those that were added.
    mutating func explore() {
        withUnsafeMutablePointer(to: &self) { graph in
            while graph.pointee.current < graph.pointee.objects.count {
                Self.explore(graph)
                graph.pointee.current += 1
            }
        }
    }

    private static func explore(_ graph: UnsafeMutablePointer<ObjectGraph>) {
        let object = graph.pointee.objects.pointers[graph.pointee.current]
        let traits = graph.pointee.traits[Int(graph.pointee.types[graph.pointee.current])]
        if cpython_object_type(object) == graph.pointee.code {
            graph.pointee.addConstants(of: object)
        } else if let traverse = traits.traverse, isTold(object, traits) {
            let visit: visitproc = { object, graph in
                if let object { graph!.assumingMemoryBound(to: ObjectGraph.self).pointee.refer(to: object) }
                return 0
            }
            graph.pointee.told = 0
            _ = traverse(object, visit, graph)
            if graph.pointee.told == 0, isAttributes(object) {
                graph.pointee.states[graph.pointee.current] = .counted
            }
        }
    }

    /// Whether it is the `__dict__` of an instance that has the values itself (3.13 and later). They are the instance's
    /// as long as that is there, which tells of them, and the dictionary's afterwards, if that is there longer.
    private static func isAttributes(_ object: PyPointer) -> Bool {
        cpython_is_dict(object) != 0 && PyDict_Size(object) > 0
    }

    /// Whether it can be asked what it refers to. The collector asks what it knows, and what has become immortal it has
    /// known; of the rest, what is not ready may be among what is foreign, and a class of C's own is none that it would
    /// ask.
    private static func isTold(_ object: PyPointer, _ traits: LifeTraits) -> Bool {
        switch traits.kind {
        case .plain: false
        case .owner: true
        case .lasting: LifeTraitsTable.flags(object) & UInt(1 << 9) != 0
        case .foreign: PyObject_GC_IsTracked(object) != 0 || cpython_is_immortal(object) != 0
        }
    }

    private mutating func addConstants(of object: PyPointer) {
        guard let constants = PyObject_GetAttrString(object, "co_consts") else { return PyErr_Clear() }
        add(constants)
        cpython_decref(constants)
    }

    private mutating func refer(to object: PyPointer) {
        told += 1
        let owned = number(of: object)
        guard states[current] == .owner else { return }
        switch states[owned] {
        case .owner, .foreign: edges.append(Edge(owner: UInt32(current), owned: UInt32(owned)))
        case .plain, .lasting, .counted: break
        }
    }

    private mutating func number(of object: PyPointer) -> Int {
        let (number, isNew) = objects.number(object)
        if isNew {
            let type = traits.number(of: object)
            types.append(UInt32(type))
            states.append(state(of: object, traits[type]))
        }
        return number
    }

    private func state(of object: PyPointer, _ traits: LifeTraits) -> State {
        switch traits.kind {
        case .plain: .plain
        case .lasting: .lasting
        case .owner: traits.isWeakable && isAwaited(object) ? .foreign : .owner
        case .foreign: cpython_is_immortal(object) != 0 ? .plain : .foreign
        }
    }

    /// Whether somebody may wait for its end: there are weak references to it.
    private func isAwaited(_ object: PyPointer) -> Bool {
        guard let count = cpython_call_1(countWeakReferences, object) else {
            PyErr_Clear()
            return true
        }
        defer { cpython_decref(count) }
        return PyLong_AsLong(count) != 0
    }

    // MARK: Judging

    /// Leaves alone whatever may keep something alive whose end matters.
    mutating func judge() {
        // Owners by what they own: those of `index` stand from `starts[index]` to `starts[index + 1]`.
        var starts = Array(repeating: UInt32(0), count: objects.count + 1)
        for edge in edges { starts[Int(edge.owned) + 1] += 1 }
        for index in 0..<objects.count { starts[index + 1] += starts[index] }
        var next = starts
        var owners = Array(repeating: UInt32(0), count: edges.count)
        for edge in edges {
            owners[Int(next[Int(edge.owned)])] = edge.owner
            next[Int(edge.owned)] += 1
        }
        var pending = (0..<objects.count).filter { states[$0] == .foreign }
        while let owned = pending.popLast() {
            for place in starts[owned]..<starts[owned + 1] {
                let owner = Int(owners[Int(place)])
                guard states[owner] == .owner else { continue }
                states[owner] = .foreign
                pending.append(owner)
            }
        }
    }

    /// Calls `body` with each object whose end nobody could see.
    func forEachUnawaited(_ body: (PyPointer) -> Void) {
        for (index, object) in objects.pointers.enumerated() {
            switch states[index] {
            case .plain, .lasting, .owner: body(object)
            case .counted, .foreign: break
            }
        }
    }
}
