internal import PythonBridge

/// `wsgi.early_hints` and `monoceros.client_disconnected`, as every environ has them.
///
/// They stand in the templates that environs are copied from, so that a request pays nothing for them. An application
/// that keeps an environ keeps them too: then they are cut off when the request ends, and the templates get new ones.
struct EnvironCallables {
    /// What the two are bound to.
    private let link: RequestLink
    /// Both are ours until `discard`.
    let earlyHints: PyPointer
    let clientDisconnected: PyPointer

    init(_ response: Response, _ types: WSGITypes, _ gil: borrowing GIL) throws(PythonError) {
        link = RequestLink(response)
        let box = try types.requestLink.wrap(link, gil)
        earlyHints = try NativeType.function(RequestLink.earlyHints, receiver: box.pointer, gil).leak()
        clientDisconnected = try NativeType.function(RequestLink.clientDisconnected, receiver: box.pointer, gil).leak()
    }

    /// The gateway has a new response for the requests to come.
    func attach(_ response: Response) {
        link.response = response
    }

    /// Cuts them off, and gives them up to whoever else holds them.
    func discard(_ gil: borrowing GIL) {
        link.response = nil
        gil.release(earlyHints)
        gil.release(clientDisconnected)
    }

    /// Whether nobody holds one of them beside us and a number of templates.
    func areUnused(templates: Int, _ gil: borrowing GIL) -> Bool {
        gil.hasReferences(earlyHints, templates &+ 1) && gil.hasReferences(clientDisconnected, templates &+ 1)
    }
}

/// The way from a callable in an environ to the request it is for.
final class RequestLink {
    /// Nil once another pair of callables took this one's place.
    fileprivate(set) var response: Response?

    fileprivate init(_ response: Response) {
        self.response = response
    }

    static func makeType(_ gil: borrowing GIL) throws(PythonError) -> NativeType {
        try NativeType.make(
            name: "monoceros.Request", doc: "What wsgi.early_hints and monoceros.client_disconnected are bound to.",
            methods: [], gil)
    }

    /// `early_hints(headers)`.
    fileprivate nonisolated(unsafe) static let earlyHints = NativeType.makeDefinition("early_hints") {
        box, values, count, names in
        GIL.calledByPython { (gil) throws(PythonError) in
            let arguments = Arguments(values, count, names)
            try arguments.check("early_hints", 1...1, "headers", gil: gil)
            guard let headers = try arguments.get(0, "headers", gil: gil) else {
                throw gil.raise(.typeError, "early_hints() needs headers")
            }
            try RequestLink.of(box).response?.sendEarlyHints(headers, &gil)
            return gil.newNone()
        }
    }

    /// `client_disconnected() -> bool`. After the request it is true: nobody waits for anything any more.
    fileprivate nonisolated(unsafe) static let clientDisconnected = NativeType.makeDefinition("client_disconnected") {
        box, values, count, names in
        GIL.calledByPython { (gil) throws(PythonError) in
            try Arguments(values, count, names).check("client_disconnected", 0...0, gil: gil)
            return PyRef(retaining: gil.bool(RequestLink.of(box).response?.clientHasLeft ?? true)).leak()
        }
    }

    /// Only boxes that `EnvironCallables` made get here.
    private static func of(_ box: PyPointer?) -> RequestLink {
        NativeType.payload(box!, as: RequestLink.self)!
    }
}
