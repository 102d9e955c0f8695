/// What the gateway is told once.
public struct GatewayConfiguration: Sendable {
    /// A listening address as applications see it.
    public struct Listener: Sendable {
        /// SERVER_NAME.
        public let name: String
        /// SERVER_PORT.
        public let port: String
        /// Clients of a unix socket have no address, and the server's name is the one they asked for.
        public let isUnix: Bool

        public init(name: String, port: String, isUnix: Bool) {
            self.name = name
            self.port = port
            self.isUnix = isUnix
        }
    }

    public var listeners: [Listener] = []
    /// SERVER_SOFTWARE.
    public var serverSoftware = ""
    /// Where the application is mounted: the process's SCRIPT_NAME variable.
    public var scriptName = ""
    public var isMultithreaded = false
    public var isMultiprocess = false
    public var usesSendFile = true
    /// Bytes of a response that may wait for the client before the application is held up.
    public var responseBuffer = 1 << 20

    public init() {}
}
