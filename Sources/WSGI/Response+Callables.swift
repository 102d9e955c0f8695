internal import PythonBridge

/// `start_response` and the `write` that it returns, as Python sees them.
///
/// The two functions are bound to a box that holds the response. They are used anew for the next request unless the
/// application kept one: then that one stays with its response, whose request is over, and new ones are made.
struct ResponseCallables {
    let response: Response
    /// Both are ours until `discard`.
    let start: PyPointer
    let write: PyPointer

    init(_ response: Response, _ types: WSGITypes, _ gil: borrowing GIL) throws(PythonError) {
        self.response = response
        let box = try types.response.wrap(response, gil)
        start = try NativeType.function(Response.startDefinition, receiver: box.pointer, gil).leak()
        write = try NativeType.function(Response.writeDefinition, receiver: box.pointer, gil).leak()
        // `start_response` returns it; the box, which both functions hold, keeps it at hand. The garbage collector
        // knows of the cycle that this makes.
        NativeType.setReference(box.pointer, 0, PyRef(retaining: write))
    }

    /// Gives them up to whoever else holds them.
    func discard(_ gil: borrowing GIL) {
        gil.release(start)
        gil.release(write)
    }

    /// Whether nobody else holds one of the functions. The box itself holds `write`. Static for the reason that
    /// `EnvironCallables.areUnused` has.
    @inline(__always)
    static func areUnused(_ start: PyPointer, _ write: PyPointer, _ gil: borrowing GIL) -> Bool {
        gil.isUnique(start) && gil.hasReferences(write, 2)
    }
}

extension Response {
    static func makeType(_ gil: borrowing GIL) throws(PythonError) -> NativeType {
        try NativeType.make(
            name: "monoceros.Response", doc: "What start_response and write are bound to.", methods: [],
            isGarbageCollected: true, gil)
    }

    nonisolated(unsafe) static let startDefinition = NativeType.makeDefinition("start_response") {
        box, values, count, names in
        GIL.calledByPython { (gil) throws(PythonError) in
            // Nearly every call is this one; looking for keywords would cost it three arrays.
            if names == nil, count == 2, let status = values?[0], let headers = values?[1] {
                try NativeType.withPayload(box!, as: Response.self) { (response) throws(PythonError) in
                    try response.start(status: status, headers: headers, exceptionInfo: nil, gil)
                }
            } else {
                try Response.of(box).start(Arguments(values, count, names), gil)
            }
            return PyRef(retaining: NativeType.reference(box!, 0) ?? gil.none()).leak()
        }
    }

    nonisolated(unsafe) static let writeDefinition = NativeType.makeDefinition("write") { box, values, count, names in
        GIL.calledByPython { (gil) throws(PythonError) in
            let arguments = Arguments(values, count, names)
            try arguments.check("write", 1...1, "data", gil: gil)
            guard let data = try arguments.get(0, "data", gil: gil) else {
                throw gil.raise(.typeError, "write() needs bytes")
            }
            try Response.of(box).write(data, &gil)
            return gil.newNone()
        }
    }

    private func start(_ arguments: Arguments, _ gil: borrowing GIL) throws(PythonError) {
        try arguments.check(
            "start_response", 2...3, "status", "headers", "response_headers", "exc_info", gil: gil)
        guard let status = try arguments.get(0, "status", gil: gil),
            let headers = try arguments.get(1, "headers", "response_headers", gil: gil)
        else { throw gil.raise(.typeError, "start_response() needs a status and headers") }
        try start(
            status: status, headers: headers, exceptionInfo: try arguments.get(2, "exc_info", gil: gil), gil)
    }

    /// Only boxes that `ResponseCallables` made get here.
    private static func of(_ box: PyPointer?) -> Response {
        NativeType.payload(box!, as: Response.self)!
    }
}
