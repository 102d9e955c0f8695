internal import HTTPWire
internal import Platform
internal import ProxyWire
internal import PythonBridge
internal import Transport

/// Builds a request's environ (PEP 3333, "environ Variables"): a copy of a prepared dictionary, and what the request
/// adds.
final class EnvironBuilder {
    private let keys: EnvironKeys
    private var fields: EnvironFieldCache
    private var addresses: AddressCache
    private let types: WSGITypes
    /// By listener, and one for what came from none of these.
    private let templates: [PyPointer]
    /// Whether the server's name and port are the request's to say: of Unix sockets, and of former listeners.
    private let areNameless: [Bool]
    private let http10, http, https, port80, port443: PyPointer
    private let methods: [PyPointer]
    private let scriptName: [UInt8]
    private var stamp: UInt64 = 0
    private var pathBuffer = [UInt8](repeating: 0, count: 512)
    /// The last request target: monitors ask for the same again and again, and so do people.
    private var lastTarget = KeptString()
    /// What the last environ says in REMOTE_ADDR, unless the application has changed it. Owned by `addresses`.
    private var lastAddress: PyPointer?

    init(
        types: WSGITypes, configuration: GatewayConfiguration, errors: PyPointer, _ gil: borrowing GIL
    ) throws(PythonError) {
        self.types = types
        keys = try EnvironKeys(gil)
        fields = try EnvironFieldCache(gil)
        addresses = AddressCache()
        http10 = try gil.interned("HTTP/1.0").leak()
        http = try gil.interned("http").leak()
        https = try gil.interned("https").leak()
        port80 = try gil.interned("80").leak()
        port443 = try gil.interned("443").leak()
        var methods: [PyPointer] = []
        for name in ["", "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"] {
            methods.append(try gil.interned(name).leak())
        }
        self.methods = methods
        scriptName = Array(configuration.scriptName.utf8)
        var templates: [PyPointer] = []
        let former = GatewayConfiguration.Listener(name: "", port: "", isUnix: true)
        for listener in configuration.listeners + [former] {
            templates.append(
                try EnvironBuilder.template(keys, types, configuration, listener, errors: errors, gil).leak())
        }
        self.templates = templates
        areNameless = configuration.listeners.map(\.isUnix) + [true]
    }

    /// The part of the environ that is the same for all requests of a listener.
    private static func template(
        _ keys: EnvironKeys, _ types: WSGITypes, _ configuration: GatewayConfiguration,
        _ listener: GatewayConfiguration.Listener, errors: PyPointer, _ gil: borrowing GIL
    ) throws(PythonError) -> PyRef {
        let made = try gil.dictionary()
        let environ = made.pointer
        func put(_ key: String, _ value: borrowing some PythonObject) throws(PythonError) {
            try gil.set(environ, try gil.interned(key), value)
        }
        let one = try gil.integer(1)
        let zero = try gil.integer(0)
        try put("wsgi.version", try gil.pair(one.pointer, zero.pointer))
        try put("wsgi.url_scheme", try gil.interned("http"))
        try put("wsgi.input", types.emptyInput)
        try put("wsgi.input_terminated", gil.bool(true))
        try put("wsgi.errors", errors)
        try put("wsgi.multithread", gil.bool(configuration.isMultithreaded))
        try put("wsgi.multiprocess", gil.bool(configuration.isMultiprocess))
        try put("wsgi.run_once", gil.bool(false))
        try put("wsgi.file_wrapper", types.fileWrapper)
        try put("SERVER_SOFTWARE", try gil.string(configuration.serverSoftware))
        try put("SERVER_NAME", try gil.string(listener.name))
        try put("SERVER_PORT", try gil.string(listener.port))
        try put("SCRIPT_NAME", try gil.string(configuration.scriptName))
        // What most requests say stands there already; what each sets anew has its place, so that the copy does not
        // grow.
        let empty = try gil.interned("")
        try gil.set(environ, keys.requestMethod, try gil.interned("GET"))
        try gil.set(environ, keys.serverProtocol, try gil.interned("HTTP/1.1"))
        for key in [keys.requestURI, keys.pathInfo, keys.queryString, keys.remoteAddress, keys.host] {
            try gil.set(environ, key, empty)
        }
        if !listener.isUnix { try gil.set(environ, keys.remotePort, empty) }
        // `install` fills them.
        for key in [keys.earlyHints, keys.clientDisconnected, keys.socket] { try gil.set(environ, key, gil.none()) }
        // A dictionary never shrinks: these are more than 21 entries, so that CPython has chosen a size of table which
        // has room for the fields of a usual request, and no copy has to grow.
        try gil.remove(environ, keys.host)
        return made
    }

    /// How many references to each installed callable are ours.
    var templateCount: Int { templates.count }

    /// Gives all environs from here on these callables.
    func install(_ callables: EnvironCallables, _ gil: borrowing GIL) throws(PythonError) {
        for template in templates {
            try gil.set(template, keys.earlyHints, callables.earlyHints)
            try gil.set(template, keys.clientDisconnected, callables.clientDisconnected)
            try gil.set(template, keys.socket, callables.socket)
        }
    }

    /// - Returns: nil when the path is outside of the mount point: it does not begin with SCRIPT_NAME.
    func make(_ exchange: borrowing Exchange, _ gil: borrowing GIL) throws(PythonError) -> PyRef? {
        let environ = try gil.copy(dictionary: templates[exchange.listener])
        stamp &+= 1
        let script = try setFields(environ.pointer, exchange, gil)
        try setRequestLine(environ.pointer, exchange, gil)
        try setPeer(environ.pointer, exchange, gil)
        guard try setPath(environ.pointer, exchange, script: script, gil) else { return nil }
        try setBody(environ.pointer, exchange, gil)
        if areNameless[exchange.listener] { try setServer(environ.pointer, exchange, gil) }
        return environ
    }

    // MARK: Looking back

    /// What an environ says of the request's method; nil if the application replaced it by something else.
    func method(of environ: PyPointer, _ gil: borrowing GIL) -> String? { text(environ, keys.requestMethod, gil) }

    /// The request target as sent.
    func target(of environ: PyPointer, _ gil: borrowing GIL) -> String? { text(environ, keys.requestURI, gil) }

    /// The client's address and port; nil if it has no name, as a client of a Unix socket.
    func client(of environ: PyPointer, _ gil: borrowing GIL) -> String? {
        guard let host = text(environ, keys.remoteAddress, gil), !host.isEmpty else { return nil }
        guard let port = text(environ, keys.remotePort, gil) else { return host }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// What the application has made of REMOTE_ADDR, of the environ that was made last; nil where it left it alone.
    func changedAddress(of environ: PyPointer, _ gil: borrowing GIL) -> String? {
        guard let value = try? gil.get(environ, keys.remoteAddress) else {
            gil.clearError()
            return nil
        }
        return value == lastAddress ? nil : gil.text(value)
    }

    private func text(_ environ: PyPointer, _ key: PyPointer, _ gil: borrowing GIL) -> String? {
        guard let value = try? gil.get(environ, key) else {
            gil.clearError()
            return nil
        }
        return gil.text(value)
    }

    // MARK: Request line

    private func setRequestLine(
        _ environ: PyPointer, _ exchange: borrowing Exchange, _ gil: borrowing GIL
    ) throws(PythonError) {
        let method = exchange.head.knownMethod
        if method == .other {
            var text = String(decoding: exchange.bytes(exchange.head.method), as: UTF8.self)
            if exchange.head.methodNeedsUppercasing { text = text.uppercased() }
            try gil.set(environ, keys.requestMethod, try gil.string(text))
        } else if method != .get {
            try gil.set(environ, keys.requestMethod, methods[Int(method.rawValue)])
        }
        if exchange.head.version != .http11 { try gil.set(environ, keys.serverProtocol, http10) }
        switch exchange.head.schemeOverride {
        case .none: break
        case .http: try gil.set(environ, keys.urlScheme, http)
        case .https: try gil.set(environ, keys.urlScheme, https)
        }
        let query = exchange.head.query
        if !query.isEmpty {
            try gil.set(environ, keys.queryString, try gil.string(latin1: exchange.bytes(query)))
        }
    }

    /// Sets RAW_URI, PATH_INFO and SCRIPT_NAME. False when the path is not below the mount point.
    private func setPath(
        _ environ: PyPointer, _ exchange: borrowing Exchange, script header: PyPointer?, _ gil: borrowing GIL
    ) throws(PythonError) -> Bool {
        let target = exchange.bytes(exchange.head.target)
        let raw = try lastTarget.reuse(target, keeps: exchange.head.query.isEmpty, gil)
        try gil.set(environ, keys.requestURI, raw.pointer)

        let path = exchange.bytes(exchange.head.path)
        let prefixCount: Int
        if let header {
            guard let count = try gil.withLatin1(header, { MountPoint.length(of: $0, in: path) }) else { return false }
            try gil.set(environ, keys.scriptName, header)
            prefixCount = count
        } else {
            guard let count = MountPoint.length(of: scriptName, in: path) else { return false }
            prefixCount = count
        }
        if prefixCount == 0, path.count == target.count, !FieldSyntax.hasPercent(path.bytes) {
            // The path is the target, to the letter: one object for both.
            try gil.set(environ, keys.pathInfo, raw.pointer)
            return true
        }
        let rest = UnsafeRawBufferPointer(rebasing: path[prefixCount...])
        if pathBuffer.count < rest.count { pathBuffer = [UInt8](repeating: 0, count: rest.count * 2) }
        let count = pathBuffer.withUnsafeMutableBytes { FieldSyntax.percentDecode(rest.bytes, into: $0) }
        let decoded = try gil.string(latin1: pathBuffer.prefix(count))
        try gil.set(environ, keys.pathInfo, decoded.pointer)
        return true
    }

    // MARK: Fields

    /// Sets the HTTP_ keys. Returns the value of a SCRIPT_NAME field, which by default only trusted peers get past the
    /// parser.
    private func setFields(
        _ environ: PyPointer, _ exchange: borrowing Exchange, _ gil: borrowing GIL
    ) throws(PythonError) -> PyPointer? {
        var script: PyPointer?
        // A field without a slot may have set the key of one that has.
        var hasRareField = false
        for index in 0..<exchange.head.fields.count {
            let field = exchange.head.fields[index]
            let name = exchange.bytes(field.name)
            guard !field.isFolded, let slot = try fields.slot(field, name, gil) else {
                try setRareField(environ, field, exchange, gil)
                hasRareField = true
                continue
            }
            let value = try fields.slots[slot].reuse(exchange.bytes(field.value), gil)
            if field.kind == .scriptName {
                // Of several, the last: a proxy writes its own behind what it passes on.
                try gil.set(environ, keys.scriptName, value.pointer)
                try gil.set(environ, fields.slots[slot].key, value.pointer)
                script = try gil.get(environ, keys.scriptName)
                continue
            }
            let key = fields.slots[slot].key
            var isSet = fields.slots[slot].stamp == stamp
            if hasRareField && !isSet { isSet = try gil.get(environ, key) != nil }
            if isSet {
                try join(environ, key, value.pointer, fields.slots[slot].separator, gil)
                continue
            }
            fields.slots[slot].stamp = stamp
            try gil.set(environ, key, value.pointer)
        }
        let authority = exchange.head.authority
        if !authority.isEmpty {
            // RFC 9112 §3.2.2: the target's authority takes the place of Host.
            try gil.set(environ, keys.host, try gil.string(latin1: exchange.bytes(authority)))
        }
        return script
    }

    /// A field whose name has no slot, or whose value is spread over several lines.
    private func setRareField(
        _ environ: PyPointer, _ field: FieldLine, _ exchange: borrowing Exchange, _ gil: borrowing GIL
    ) throws(PythonError) {
        let key: PyRef
        var separator: StaticString = ","
        if let slot = try fields.slot(field, exchange.bytes(field.name), gil) {
            key = PyRef(retaining: fields.slots[slot].key)
            separator = fields.slots[slot].separator
            fields.slots[slot].stamp = stamp
        } else {
            key = try EnvironFieldCache.newKey(exchange.bytes(field.name), gil)
        }
        let value: PyRef
        if field.isFolded {
            var line: [UInt8] = []
            FieldSyntax.unfold(exchange.bytes(field.value).bytes, into: &line)
            value = try gil.string(latin1: line[...])
        } else {
            value = try gil.string(latin1: exchange.bytes(field.value))
        }
        if try gil.get(environ, key.pointer) != nil {
            try join(environ, key.pointer, value.pointer, separator, gil)
        } else {
            try gil.set(environ, key.pointer, value.pointer)
        }
    }

    private func join(
        _ environ: PyPointer, _ key: PyPointer, _ value: PyPointer, _ separator: StaticString, _ gil: borrowing GIL
    ) throws(PythonError) {
        guard let first = try gil.get(environ, key) else { return try gil.set(environ, key, value) }
        var joined = try gil.withLatin1(first) { Array($0) }
        separator.withUTF8Buffer { joined += $0 }
        try gil.withLatin1(value) { joined += $0 }
        try gil.set(environ, key, try gil.string(latin1: joined[...]))
    }

    // MARK: Peer and body

    private func setPeer(
        _ environ: PyPointer, _ exchange: borrowing Exchange, _ gil: borrowing GIL
    ) throws(PythonError) {
        let (host, port) = try addresses.strings(for: exchange.client, gil)
        try gil.set(environ, keys.remoteAddress, host)
        lastAddress = host
        if let port { try gil.set(environ, keys.remotePort, port) }
        if let route = exchange.proxyRoute {
            if port == nil, !areNameless[exchange.listener] { try gil.remove(environ, keys.remotePort) }
            try setProxy(environ, route, gil)
        }
    }

    /// gunicorn's keys for what a PROXY header says of the connection that the proxy accepted.
    private func setProxy(
        _ environ: PyPointer, _ route: ProxyHeader.Route, _ gil: borrowing GIL
    ) throws(PythonError) {
        try gil.set(environ, keys.proxyProtocol, try gil.interned("\(route.name)"))
        switch route {
        case .tcp4(_, let destination), .tcp6(_, let destination):
            let (host, port) = try addresses.strings(for: SocketAddress(destination), gil)
            try gil.set(environ, keys.proxyAddress, host)
            if let port { try gil.set(environ, keys.proxyPort, port) }
        case .unix, .unknown, .unspecified, .local: break
        }
    }

    /// What the listener does not say: where the client of a former one connected, and what that of a Unix socket asked
    /// for.
    private func setServer(
        _ environ: PyPointer, _ exchange: borrowing Exchange, _ gil: borrowing GIL
    ) throws(PythonError) {
        if exchange.listener == templates.count - 1, let address = exchange.localAddress, let port = address.port {
            try gil.set(environ, keys.serverName, try gil.string(address.host))
            return try gil.set(environ, keys.serverPort, try gil.string("\(port)"))
        }
        guard let host = try gil.get(environ, keys.host) else { return }
        let text = try gil.withLatin1(host) { String(decoding: $0, as: UTF8.self) }
        let isHTTPS = exchange.head.schemeOverride == .https
        // The colon of a port, not one inside the brackets of an IPv6 address.
        let afterBracket = text.lastIndex(of: "]") ?? text.startIndex
        if let colon = text[afterBracket...].lastIndex(of: ":") {
            try gil.set(environ, keys.serverName, try gil.string(String(text[..<colon])))
            try gil.set(environ, keys.serverPort, try gil.string(String(text[text.index(after: colon)...])))
        } else {
            try gil.set(environ, keys.serverName, host)
            try gil.set(environ, keys.serverPort, isHTTPS ? port443 : port80)
        }
    }

    private func setBody(
        _ environ: PyPointer, _ exchange: borrowing Exchange, _ gil: borrowing GIL
    ) throws(PythonError) {
        if exchange.head.framing == .chunked, let count = exchange.body.count {
            // The whole body is here, so its length is known: frameworks that go by CONTENT_LENGTH alone (Django) read
            // chunked uploads too.
            try gil.set(environ, keys.contentLength, try gil.string("\(count)"))
        }
        let stream: InputStream
        switch exchange.body {
        case .none: return
        case .inline(let offset, let count):
            stream = InputStream(copying: UnsafeRawBufferPointer(rebasing: exchange.request[offset..<(offset + count)]))
        case .memory(let store): stream = InputStream(store)
        case .file(let file): stream = InputStream(file)
        case .stream(let body): stream = InputStream(body)
        }
        try gil.set(environ, keys.input, try types.input.wrap(stream, gil))
    }
}
