public import Platform
public import ProxyWire

/// The PROXY header in front of a connection's first request.
extension Reactor {
    /// Reads on. Once it is clear what the header says, or that there is none, the connection goes on as any other.
    ///
    /// - Parameter start: what came before.
    func readPreamble(_ connection: Connection, behind start: ByteStore?, on bench: Workbench) -> Progress {
        guard let mode = configuration.proxyMode else { preconditionFailure("a preamble that nobody asked for") }
        guard let fresh = read(connection, on: bench) else { return .wait }
        start?.append(fresh)
        let bytes = start?.bytes ?? fresh
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
            if start == nil { connection.life.keepPreamble(ByteStore(bytes, spare: 512)) }
            return waitOrReadOn(connection)
        case .absent:
            size = 0
        case .header(let header):
            connection.learn(header.route)
            size = header.byteCount
        }
        connection.life.endPreamble()
        // The deadline stays: from accept to the first bytes of the request.
        guard bytes.count > size else { return waitOrReadOn(connection) }
        if let start {
            start.removeFirst(size)
            return parseHead(connection, start.bytes, in: PartialHead(bytes: start), on: bench)
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
