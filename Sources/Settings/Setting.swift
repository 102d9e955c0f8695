/// One setting: declared once, in ``all``, and read from there by the command line, the checks and the documentation.
public struct Setting: Sendable {
    /// The heading under which help and documentation list it; gunicorn's.
    public enum Section: String, CaseIterable, Sendable {
        case configFile = "Config File"
        case serverSocket = "Server Socket"
        case workerProcesses = "Worker Processes"
        case security = "Security"
        case debugging = "Debugging"
        case serverMechanics = "Server Mechanics"
        case logging = "Logging"
        case processNaming = "Process Naming"
        case serverHooks = "Server Hooks"
        case tls = "SSL"
        case http2 = "HTTP/2"
        case dirtyArbiters = "Dirty Arbiters"
        case dirtyArbiterHooks = "Dirty Arbiter Hooks"
        case control = "Control"
    }

    /// Who reads the value.
    public enum Consumer: Equatable, Sendable {
        /// The command line, configuration files, the log: whatever is written in Python.
        case python
        /// The master process.
        case arbiter
        /// The worker processes.
        case worker
        /// Nobody: the value is taken and has no effect. The sentence says why, and is told to whoever sets it.
        case nobody(String)
        /// The feature is not there. The sentence says so: the server does not start with any value but the default.
        case missing(String)
    }

    /// How much of it gunicorn knows.
    public enum Origin: String, Sendable {
        case gunicorn
        /// The setting is gunicorn's, its flags are ours.
        case flag
        case own
    }

    /// An environment variable that takes the default's place when it is set.
    public struct Environment: Equatable, Sendable {
        public let variable: String
        /// The value to use, in which `{}` stands for what the variable holds.
        public let format: String
        /// A variable that is set but empty is a value too. For others it counts as not set: that is how compose files
        /// and unit files leave a variable out.
        public let mayBeEmpty: Bool

        init(_ variable: String, format: String = "{}", mayBeEmpty: Bool = false) {
            self.variable = variable
            self.format = format
            self.mayBeEmpty = mayBeEmpty
        }
    }

    /// As in a configuration file: `limit_request_line`.
    public let name: String
    public let section: Section
    /// The command line's options, short before long; none when only a configuration file sets it.
    public let flags: [String]
    public let kind: SettingKind
    public let initial: SettingValue
    public let consumer: Consumer
    public let origin: Origin
    public let environment: Environment?
    /// What the flag means without a value; nil where it needs one.
    public let bare: String?
    /// Other words for a choice's words.
    public let synonyms: [String: String]
    /// What stands for the value in `--help`.
    public let metavar: String?
    /// One or two sentences, with the unit of a number.
    public let text: String

    init(
        _ name: String, _ section: Section, _ flags: [String], _ kind: SettingKind,
        default initial: SettingValue = .none, for consumer: Consumer, origin: Origin = .gunicorn,
        environment: Environment? = nil, bare: String? = nil, synonyms: [String: String] = [:], metavar: String? = nil,
        _ text: String
    ) {
        self.name = name
        self.section = section
        self.flags = flags
        self.kind = kind
        self.initial = initial
        self.consumer = consumer
        self.origin = origin
        self.environment = environment
        self.bare = bare
        self.synonyms = synonyms
        self.metavar = metavar
        self.text = text
    }
}
