internal import CPython

/// Python's objects, as far as one finds them from those that the collector knows, and which of them nobody could see
/// ending.
///
/// ```
///  namespace of a module ─► function ─► tuple of defaults ─► str        all of these
///                      └──► list ─► instance ─► socket                  none of these but the namespace
/// ```
///
/// Whatever refers to something whose end matters may be what keeps it alive, and is left alone as well. The way ends at
/// classes, modules and their namespaces: these live as long as the code, so that nobody's end is theirs.
struct ObjectGraph {
    private var traits: LifeTraitsTable
    private(set) var objects: [PyPointer] = []
    private var states: [State] = []
    /// Places in `objects`, one more than the index; 0 for none. By address, with open addressing.
    private var places: [UInt32]
    private var edges: [Edge] = []
    /// Whose references are being told.
    private var current = 0
    private let code: PyPointer
    private let countWeakReferences: PyPointer

    private struct Edge {
        let owner: UInt32
        let owned: UInt32
    }

    private enum State: UInt8 {
        case plain, lasting, owner
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
        var capacity = 1024
        while capacity < expected * 4 { capacity *= 2 }
        places = Array(repeating: 0, count: capacity)
        objects.reserveCapacity(capacity / 2)
        states.reserveCapacity(capacity / 2)
        edges.reserveCapacity(capacity)
    }

    // MARK: Finding

    /// Adds a module or a namespace of one.
    mutating func add(lasting object: PyPointer) { insert(object, .lasting) }
    /// Adds an object that is left alone.
    mutating func add(foreign object: PyPointer) { insert(object, .foreign) }
    mutating func add(_ object: PyPointer) { _ = index(of: object) }

    /// Finds whatever can be found from those that were added.
    mutating func explore() {
        withUnsafeMutablePointer(to: &self) { graph in
            while graph.pointee.current < graph.pointee.objects.count {
                Self.explore(graph.pointee.objects[graph.pointee.current], graph)
                graph.pointee.current += 1
            }
        }
    }

    private static func explore(_ object: PyPointer, _ graph: UnsafeMutablePointer<ObjectGraph>) {
        let traits = graph.pointee.traits.traits(of: object)
        if cpython_object_type(object) == graph.pointee.code {
            graph.pointee.addConstants(of: object)
        } else if let traverse = traits.traverse, isTold(object, traits) {
            let visit: visitproc = { object, graph in
                if let object { graph!.assumingMemoryBound(to: ObjectGraph.self).pointee.refer(to: object) }
                return 0
            }
            _ = traverse(object, visit, graph)
        }
    }

    /// Whether it can be asked what it refers to. The collector asks what it knows; of the rest, what is not ready may be
    /// among what is foreign, and a class of C's own is none that it would ask.
    private static func isTold(_ object: PyPointer, _ traits: LifeTraits) -> Bool {
        switch traits.kind {
        case .plain: false
        case .owner: true
        case .lasting: LifeTraitsTable.flags(object) & UInt(1 << 9) != 0
        case .foreign: PyObject_GC_IsTracked(object) != 0
        }
    }

    private mutating func addConstants(of object: PyPointer) {
        guard let constants = PyObject_GetAttrString(object, "co_consts") else { return PyErr_Clear() }
        add(constants)
        cpython_decref(constants)
    }

    private mutating func refer(to object: PyPointer) {
        let owned = index(of: object)
        guard states[current] == .owner else { return }
        switch states[owned] {
        case .owner, .foreign: edges.append(Edge(owner: UInt32(current), owned: UInt32(owned)))
        case .plain, .lasting: break
        }
    }

    private mutating func index(of object: PyPointer) -> Int {
        let place = place(of: object)
        if places[place] != 0 { return Int(places[place]) - 1 }
        return insert(object, state(of: object), at: place)
    }

    private mutating func state(of object: PyPointer) -> State {
        let traits = traits.traits(of: object)
        switch traits.kind {
        case .plain: return .plain
        case .lasting: return .lasting
        case .owner: return traits.isWeakable && isAwaited(object) ? .foreign : .owner
        case .foreign: return cpython_is_immortal(object) != 0 ? .plain : .foreign
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

    private mutating func insert(_ object: PyPointer, _ state: State) {
        let place = place(of: object)
        if places[place] == 0 { insert(object, state, at: place) }
    }

    @discardableResult
    private mutating func insert(_ object: PyPointer, _ state: State, at place: Int) -> Int {
        objects.append(object)
        states.append(state)
        places[place] = UInt32(objects.count)
        if objects.count * 2 > places.count { grow() }
        return objects.count - 1
    }

    private func place(of object: PyPointer) -> Int {
        // Objects stand at multiples of 16.
        var place = Int(truncatingIfNeeded: (UInt(bitPattern: object) >> 4) &* 0x9E37_79B9_7F4A_7C15 >> 20)
        while true {
            place &= places.count - 1
            let found = places[place]
            if found == 0 || objects[Int(found) - 1] == object { return place }
            place += 1
        }
    }

    private mutating func grow() {
        places = Array(repeating: 0, count: places.count * 2)
        for (index, object) in objects.enumerated() { places[place(of: object)] = UInt32(index + 1) }
    }

    // MARK: Judging

    /// Leaves alone whatever may keep something alive whose end matters.
    mutating func judge() {
        // Owners by what they own: those of `index` stand from `starts[index]` to `starts[index + 1]`.
        var starts = Array(repeating: UInt32(0), count: objects.count + 1)
        for edge in edges { starts[Int(edge.owned) + 1] += 1 }
        for index in objects.indices { starts[index + 1] += starts[index] }
        var next = starts
        var owners = Array(repeating: UInt32(0), count: edges.count)
        for edge in edges {
            owners[Int(next[Int(edge.owned)])] = edge.owner
            next[Int(edge.owned)] += 1
        }
        var pending = objects.indices.filter { states[$0] == .foreign }
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
        for (index, object) in objects.enumerated() where states[index] != .foreign { body(object) }
    }
}
