/// Which PROXY headers a connection may start with.
public enum ProxyMode: String, CaseIterable, Sendable {
    /// One of version 1, always.
    case v1
    /// One of version 2, always.
    case v2
    /// One of either version, or none.
    case auto
}

/// One end of a TCP connection.
public struct ProxyEndpoint: Equatable, Sendable {
    public let address: IPAddress
    public let port: UInt16

    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}

/// What a proxy says, in front of the first byte, about the connection that it passes on.
public struct ProxyHeader: Equatable, Sendable {
    /// The connection that the proxy accepted.
    public enum Route: Equatable, Sendable {
        /// Both addresses are IPv4.
        indirect case tcp4(source: ProxyEndpoint, destination: ProxyEndpoint)
        /// Both addresses are IPv6.
        indirect case tcp6(source: ProxyEndpoint, destination: ProxyEndpoint)
        /// A stream over a Unix socket, whose ends have no address. Version 2 only.
        case unix
        /// The proxy does not know or say: the peer of the socket stands. Version 1's `UNKNOWN`.
        case unknown
        /// The same in version 2: `AF_UNSPEC`.
        case unspecified
        /// The proxy speaks for itself, as in a health check: the peer of the socket stands. Version 2's `LOCAL`.
        case local
    }

    public let route: Route
    /// Bytes of the header; what follows is the client's.
    public let byteCount: Int

    public init(route: Route, byteCount: Int) {
        self.route = route
        self.byteCount = byteCount
    }
}

extension ProxyHeader.Route {
    /// What the environ says in PROXY_PROTOCOL: gunicorn's words where it has one.
    public var name: StaticString {
        switch self {
        case .tcp4: "TCP4"
        case .tcp6: "TCP6"
        case .unix: "UNIX"
        case .unknown: "UNKNOWN"
        case .unspecified: "UNSPEC"
        case .local: "LOCAL"
        }
    }
}
