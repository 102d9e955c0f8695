internal import Platform
internal import PythonBridge
internal import Transport

/// `wsgi.early_hints`, `monoceros.client_disconnected` and `gunicorn.socket`, as every environ has them.
///
/// They stand in the templates that environs are copied from, so that a request pays nothing for them. An application
/// that keeps an environ keeps them too: then they are cut off when the request ends, and the templates get new ones.
struct EnvironCallables {
    /// What they are bound to.
    private let link: RequestLink
    /// All are ours until `discard`.
    let earlyHints: PyPointer
    let clientDisconnected: PyPointer
    /// A `monoceros.clientsocket.OfferedSocket`.
    let socket: PyPointer

    init(_ response: Response, _ types: WSGITypes, _ gil: borrowing GIL) throws(PythonError) {
        link = RequestLink(response)
        let box = try types.requestLink.wrap(link, gil)
        earlyHints = try NativeType.function(RequestLink.earlyHints, receiver: box.pointer, gil).leak()
        clientDisconnected = try NativeType.function(RequestLink.clientDisconnected, receiver: box.pointer, gil).leak()
        let duplicate = try NativeType.function(RequestLink.duplicateSocket, receiver: box.pointer, gil)
        let surrender = try NativeType.function(RequestLink.surrender, receiver: box.pointer, gil)
        socket = try gil.call(types.offeredSocket, duplicate, surrender).leak()
    }

    /// Whether the socket has a descriptor by now.
    var socketWasUsed: Bool { link.socketWasUsed }

    /// The request is over: closes the socket, which the application may have kept. It is to be replaced.
    func endSocket(_ gil: borrowing GIL) throws(PythonError) {
        let end = try gil.attribute(socket, "end")
        _ = try gil.call(end.pointer)
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
        gil.release(socket)
    }

    /// Whether nobody holds one of these beside us and a number of templates. Asked after each request: of references
    /// alone, since a struct with an object in it would be retained for the question.
    @inline(__always)
    static func areUnused(
        _ earlyHints: PyPointer, _ clientDisconnected: PyPointer, _ socket: PyPointer, templates: Int,
        _ gil: borrowing GIL
    ) -> Bool {
        gil.hasReferences(earlyHints, templates &+ 1) && gil.hasReferences(clientDisconnected, templates &+ 1)
            && gil.hasReferences(socket, templates &+ 1)
    }
}

/// The way from a callable in an environ to the request it is for.
final class RequestLink {
    /// Nil once another pair of callables took this one's place.
    fileprivate(set) var response: Response?
    fileprivate var socketWasUsed = false

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

    /// `() -> int`: a new descriptor of the connection, or a negative errno.
    fileprivate nonisolated(unsafe) static let duplicateSocket = NativeType.makeDefinition("duplicate_socket") {
        box, values, count, names in
        GIL.calledByPython { (gil) throws(PythonError) in
            try Arguments(values, count, names).check("duplicate_socket", 0...0, gil: gil)
            let link = RequestLink.of(box)
            guard let connection = link.response?.connection else {
                return try gil.integer(-Int(Errno.badDescriptor.rawValue)).leak()
            }
            let number: Int32
            do throws(SystemError) {
                number = try connection.duplicateSocket().rawValue
                link.socketWasUsed = true
            } catch {
                number = -error.errno.rawValue
            }
            return try gil.integer(Int(number)).leak()
        }
    }

    /// `() -> bytes`: makes the connection the application's, and returns what was read behind the request. None where
    /// there is nothing to give, after the request or a second time.
    fileprivate nonisolated(unsafe) static let surrender = NativeType.makeDefinition("surrender") {
        box, values, count, names in
        GIL.calledByPython { (gil) throws(PythonError) in
            try Arguments(values, count, names).check("surrender", 0...0, gil: gil)
            guard let rest = try RequestLink.of(box).response?.surrender(&gil) else { return gil.newNone() }
            return rest.leak()
        }
    }

    /// Only boxes that `EnvironCallables` made get here.
    private static func of(_ box: PyPointer?) -> RequestLink {
        NativeType.payload(box!, as: RequestLink.self)!
    }
}
