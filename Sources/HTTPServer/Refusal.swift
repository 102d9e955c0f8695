public import HTTPWire

/// A request that the server answers by itself, with an error page: since it cannot be served, or since its application
/// failed.
public struct Refusal: Equatable, Sendable {
    /// 400...599.
    public let status: Int
    /// A stable identifier in lower case and hyphens. docs/errors.md lists them all.
    public let id: String
    public let audience: ErrorAudience

    public init(status: Int, id: String, for audience: ErrorAudience) {
        self.status = status
        self.id = id
        self.audience = audience
    }

    /// The answer to a client's fault.
    public init(_ error: WireError, for audience: ErrorAudience) {
        self.init(status: error.status, id: error.id, for: audience)
    }

    /// The application raised, and nothing had been sent.
    public static func applicationError(for audience: ErrorAudience) -> Refusal {
        Refusal(status: 500, id: "application-error", for: audience)
    }

    /// The path is not below the mount point: the proxy in front and this server disagree.
    public static func outsideMountPoint(for audience: ErrorAudience) -> Refusal {
        Refusal(status: 500, id: "outside-mount-point", for: audience)
    }

    /// The complete response, for a request that has no ``ResponseWriter``: there was no such request.
    public func response(date: HTTPDate) -> [UInt8] {
        var head = ResponseHeadWriter()
        _ = write(into: &head, date: date)
        return Array(head.bytes)
    }

    /// Writes the complete response in the place of whatever the writer has.
    ///
    /// - Returns: bytes of the body.
    func write(into head: inout ResponseHeadWriter, date: HTTPDate) -> Int {
        ErrorPage(status: status, id: id, isJSON: audience.prefersJSON)
            .write(into: &head, isHead: audience.isHead, date: date)
    }
}
