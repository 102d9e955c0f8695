public import Platform
public import ProxyWire

/// The PROXY header in front of a connection's first request.
extension Reactor {
    /// Reads on. Once it is clear what the header says, or that there is none, the connection goes on as any other.
    func receivePreamble(_ connection: Connection, on bench: Workbench) -> Progress {
        guard let mode = configuration.proxyMode else { preconditionFailure("a preamble that nobody asked for") }
        guard let fresh = read(connection, on: bench) else { return .wait }
        connection.input?.append(fresh)
        let bytes = connection.input?.bytes ?? fresh
        let progress: ProxyProgress
        do throws(ProxyError) {
            progress = try ProxyParser.parse(
                bytes.bytes, mode: mode, mayAnnounce: connection.trust.contains(.announcing))
        } catch {
            refuse(connection, error)
            return .wait
        }

        let size: Int
        switch progress {
        case .more:
            if connection.input == nil { connection.input = ByteStore(bytes, spare: 512) }
            return waitOrReadOn(connection)
        case .absent:
            size = 0
        case .header(let header):
            connection.learn(header.route)
            size = header.byteCount
        }
        connection.phase = .idle
        // The deadline stays: from accept to the first bytes of the request.
        guard bytes.count > size else {
            connection.input = nil
            return waitOrReadOn(connection)
        }
        if let input = connection.input {
            input.removeFirst(size)
            return parseHead(connection, input.bytes, on: bench)
        }
        return parseHead(connection, UnsafeRawBufferPointer(rebasing: bytes[size...]), on: bench)
    }
}

extension Connection {
    fileprivate func learn(_ route: ProxyHeader.Route) {
        proxyRoute = route
        switch route {
        case .tcp4(let source, _), .tcp6(let source, _): peer = SocketAddress(source)
        case .unix: peer = .unix(path: "")
        case .unknown, .unspecified, .local: break
        }
    }
}

extension SocketAddress {
    public init(_ endpoint: ProxyEndpoint) {
        switch endpoint.address {
        case .v4(let number): self = .ipv4(address: number, port: endpoint.port)
        case .v6(let number): self = .ipv6(address: number, port: endpoint.port)
        }
    }
}
