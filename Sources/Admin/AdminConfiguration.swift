public import HTTPWire
public import Platform
public import ProxyWire
public import Telemetry

/// What a worker needs to answer the operator.
public struct AdminConfiguration: Sendable {
    /// An application's listener, as it is shown.
    public struct Listener: Sendable {
        public let address: String
        public let descriptor: Descriptor

        public init(address: String, descriptor: Descriptor) {
            self.address = address
            self.descriptor = descriptor
        }
    }

    /// The operator's own listening socket, which all workers have.
    public var socket: Descriptor
    /// Only who may open its file comes by a Unix socket: signals and stacks are for them alone.
    public var isUnix: Bool
    /// Who may ask besides this machine.
    public var allowed: AddressList
    public var policy: RequestPolicy
    /// Version of the server.
    public var version: String
    /// Settings that differ from their defaults, fit to be shown.
    public var settings: [(name: String, value: String)]
    public var listeners: [Listener]
    public var scoreboard: ScoreboardReader
    /// Where connections wait that go from one worker to another.
    public var relay: RelayChannel
    /// The worker's own cell there.
    public var cell: Int
    /// Nanoseconds within which a runner must have been free.
    public var readyWindow: Nanoseconds
    /// The master's process id.
    public var arbiter: ProcessID
    /// Asks the master for what a signal does, where it may not be sent.
    public var order: @Sendable (Signal) -> Void
    /// How workers are asked for their stacks; nil where they cannot be.
    public var stacks: StackDesk?
    /// Without room: nothing of the operator's goes to files.
    public var spoolAllowance: SpoolAllowance
    /// Whether the process goes on when the worker has ended, and needs the socket then.
    public var keepsSocket: (@Sendable () -> Bool)?

    public init(
        socket: Descriptor, isUnix: Bool, allowed: AddressList, policy: RequestPolicy, version: String,
        settings: [(name: String, value: String)], listeners: [Listener], scoreboard: ScoreboardReader,
        relay: RelayChannel, cell: Int,
        readyWindow: Nanoseconds, arbiter: ProcessID,
        order: @escaping @Sendable (Signal) -> Void, stacks: StackDesk?, spoolAllowance: SpoolAllowance
    ) {
        self.socket = socket
        self.isUnix = isUnix
        self.allowed = allowed
        self.policy = policy
        self.version = version
        self.settings = settings
        self.listeners = listeners
        self.scoreboard = scoreboard
        self.relay = relay
        self.cell = cell
        self.readyWindow = readyWindow
        self.arbiter = arbiter
        self.order = order
        self.stacks = stacks
        self.spoolAllowance = spoolAllowance
    }
}
