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

    public let listeners: [Listener]
    /// SERVER_SOFTWARE.
    public let serverSoftware: String
    /// Where the application is mounted: the process's SCRIPT_NAME variable.
    public let scriptName: String
    public let isMultithreaded: Bool
    public let isMultiprocess: Bool
    public let usesSendFile: Bool
    /// Bytes of a response that may wait for the client before the application is held up.
    public let responseBuffer: Int
    /// Bytes of a response that may wait in a file (`response_spool`).
    public let responseSpool: Int

    public init(
        listeners: [Listener], serverSoftware: String, scriptName: String, isMultithreaded: Bool, isMultiprocess: Bool,
        usesSendFile: Bool, responseBuffer: Int, responseSpool: Int
    ) {
        self.listeners = listeners
        self.serverSoftware = serverSoftware
        self.scriptName = scriptName
        self.isMultithreaded = isMultithreaded
        self.isMultiprocess = isMultiprocess
        self.usesSendFile = usesSendFile
        self.responseBuffer = responseBuffer
        self.responseSpool = responseSpool
    }
}
