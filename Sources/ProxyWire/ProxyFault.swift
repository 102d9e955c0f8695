/// What a proxy did that the PROXY protocol does not allow, or this server does not take. The raw value is the stable
/// identifier shown in the response and in logs.
public enum ProxyFault: String, CaseIterable, Sendable {
    /// 400: the connection starts without the header that it must have.
    case missingHeader = "missing-proxy-header"
    /// 400: a header outside the grammar.
    case invalidHeader = "invalid-proxy-header"
    /// 400: a version, command or kind of connection that this server does not know.
    case unsupportedHeader = "unsupported-proxy-header"
    /// 400: longer than the protocol (version 1) or this server (version 2) lets it be.
    case headerTooLarge = "proxy-header-too-large"
    /// 403: the peer may not speak for others.
    case forbiddenPeer = "forbidden-proxy"

    /// The status code to answer with.
    public var status: Int { self == .forbiddenPeer ? 403 : 400 }
}

/// A connection that is refused because of how it starts. It carries nothing of what the peer sent.
public struct ProxyError: Error, Equatable, Sendable {
    public let fault: ProxyFault

    public init(_ fault: ProxyFault) {
        self.fault = fault
    }

    /// The status code to answer with, 400 or 403.
    public var status: Int { fault.status }

    /// The stable identifier, for example `invalid-proxy-header`.
    public var id: String { fault.rawValue }
}
