public import HTTPWire

/// What a response has to know of the request that it answers.
public struct RequestTraits: Equatable, Sendable {
    /// The method is HEAD: the response has no body, whatever its head says. RFC 9110 §9.3.2.
    public let isHead: Bool
    public let version: HTTPVersion
    /// Whether client and server let the connection stay open after the response: ``HTTP1Session/mayPersist``.
    public let mayPersist: Bool

    @inlinable
    public init(isHead: Bool, version: HTTPVersion, mayPersist: Bool) {
        self.isHead = isHead
        self.version = version
        self.mayPersist = mayPersist
    }
}
