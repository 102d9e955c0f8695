public import HTTPWire
public import ProxyWire

/// The settings as the server uses them: typed, in range, with the meaning of special values worked out.
public struct ServerConfiguration: Equatable, Sendable {
    public enum WorkerClass: String, CaseIterable, Sendable {
        case sync, gthread
    }

    /// At least one.
    public let bind: [BindAddress]
    /// Connections that may wait in listen(2).
    public let backlog: Int32
    /// Seconds for which the kernel leaves a new connection alone until its first bytes come; 0 for none.
    public let deferAccept: Int
    /// Worker processes.
    public let workers: Int
    /// What runs, which is not what was asked for where `sync` is asked for with several threads.
    public let workerClass: WorkerClass
    /// Threads of a gthread worker that run the application.
    public let threads: Int
    /// Requests after which a worker is replaced; nil sets no limit.
    public let maxRequests: Int?
    /// The most that is added to it at random.
    public let maxRequestsJitter: Int
    /// Seconds after which a worker is replaced; nil sets no limit.
    public let maxWorkerLifetime: Int?
    /// The most that is added to it at random.
    public let maxWorkerLifetimeJitter: Int
    /// Bytes of memory with which a worker is replaced; nil sets no limit.
    public let maxWorkerMemory: Int?
    /// Requests after which a worker becomes what others are forked from; nil for never.
    public let reforkAfter: Int?
    /// Seconds after which a worker that is stuck is ended; nil waits for ever.
    public let timeout: Int?
    /// Seconds that one request may take; nil for as long as it takes.
    public let requestTimeout: Int?
    /// Client connections of a worker; at least 1.
    public let workerConnections: Int
    /// Seconds.
    public let gracefulTimeout: Int
    /// Seconds; 0 closes a connection after each response.
    public let keepAlive: Int
    /// Seconds; at least 1.
    public let requestHeadTimeout: Int
    /// Seconds; nil sets no limit.
    public let requestBodyTimeout: Int?
    /// Seconds; nil sets no limit.
    public let responseWriteTimeout: Int?
    /// What requests must look like. How its limits' special values are meant is for it to say.
    public let policy: RequestPolicy
    /// Whose forwarding fields count.
    public let forwardedAllowIPs: AddressList
    /// Nil where connections start with HTTP.
    public let proxyProtocol: ProxyMode?
    /// Whose PROXY headers count.
    public let proxyAllowIPs: AddressList
    /// Where the application is mounted: empty, or a path that starts with a slash and does not end with one.
    public let rootPath: String
    /// Bytes of a request body that stay in memory.
    public let requestBodyMemory: Int
    /// The application reads bodies while they come.
    public let streamRequestBody: Bool
    /// Where larger bodies are spooled to; nil leaves it to the system.
    public let temporaryUploadDirectory: String?
    public let sendfile: Bool
    /// Bytes of a response that may wait in memory for its client.
    public let responseBuffer: Int
    /// Bytes of a response that may wait in a file.
    public let responseSpool: Int
    /// Seconds that a client may hold up a runner that others need; 0 for ever.
    public let responseWait: Int
    /// Bytes of clients in a worker's memory; nil for any number.
    public let bufferMemory: Int?
    /// Bytes of all workers' files together; 0 for any number, and nil for what the disk has room for.
    public let spoolLimit: Int?

    // What the arbiter does.
    /// How many more workers than `workers` may exist while some are replaced; at least 1.
    public let reloadStep: Int
    /// Seconds in which a worker must have loaded the application; nil waits for ever.
    public let bootTimeout: Int?
    /// `nil` keeps the user that the server was started as.
    public let user: Int?
    /// `nil` keeps the group that the server was started as.
    public let group: Int?
    /// Workers get all groups of their user.
    public let initgroups: Bool
    /// Permission bits that files are made without.
    public let umask: Int
    /// Permission bits that Unix sockets are made without: those of all others, unless something else is asked for.
    public let socketUmask: Int
    public let pidfile: String?
    public let daemon: Bool
    public let preloadApp: Bool
    /// Each worker has a listening socket of its own.
    public let reusePort: Bool
    /// Each `NAME=VALUE`.
    public let environment: [String]
    public let reload: Bool
    /// `auto`, `poll` or `inotify`.
    public let reloadEngine: String
    /// Paths or patterns.
    public let reloadExtraFiles: [String]

    // What is written about requests.
    /// `-` is stdout; `nil` keeps no access log.
    public let accessLog: String?
    public let accessLogFormat: String
    public let accessLogJSON: Bool
    /// `HOST:PORT` or `unix://PATH`.
    public let statsdHost: String?
    public let statsdPrefix: String
    public let dogstatsdTags: String
    public let enableBacklogMetric: Bool

    // What an operator is told.
    /// Where the operator's requests are answered; `nil` for nowhere.
    public let adminBind: BindAddress?
    /// Who besides this machine may ask there.
    public let adminAllowIPs: AddressList
    /// Seconds.
    public let readyWindow: Int
    /// A path that starts with a slash and does not end with one; `nil` answers none before the application.
    public let healthPath: String?
    /// Seconds; `nil` never writes of a slow request.
    public let slowRequestLog: Int?
    /// Settings that differ from their defaults, fit to be shown: no secrets.
    public let shown: [ShownSetting]

    /// Makes the configuration from values by name; a name that is absent, or whose value is none, has its default.
    /// Names that only Python uses, such as `chdir`, are checked and left alone.
    ///
    /// - Throws: `SettingError` for the first value that cannot be used.
    public init(_ given: [String: GivenSetting]) throws(SettingError) {
        let values = try CheckedSettings(given)
        bind = try values[.bind]
        backlog = try values[.backlog]
        deferAccept = try values[.deferAccept]
        workers = try values[.workers]
        threads = try values[.threads]
        let named = try values[.workerClass]
        // As gunicorn does.
        workerClass = threads > 1 ? .gthread : named
        maxRequests = try values[.maxRequests]
        maxRequestsJitter = try values[.maxRequestsJitter]
        maxWorkerLifetime = try values[.maxWorkerLifetime]
        maxWorkerLifetimeJitter = try values[.maxWorkerLifetimeJitter]
        maxWorkerMemory = try values[.maxWorkerMemory]
        reforkAfter = try values[.reforkAfter]
        timeout = try values[.timeout]
        let limits = [try values[.requestTimeout], workerClass == .sync ? timeout : nil]
        requestTimeout = limits.compactMap(\.self).min()
        workerConnections = try values[.workerConnections]
        gracefulTimeout = try values[.gracefulTimeout]
        keepAlive = try values[.keepAlive]
        requestHeadTimeout = try values[.requestHeadTimeout]
        requestBodyTimeout = try values[.requestBodyTimeout]
        responseWriteTimeout = try values[.responseWriteTimeout]
        policy = try RequestPolicy(values)
        forwardedAllowIPs = try values[.forwardedAllowIPs]
        proxyProtocol = try values[.proxyProtocol]
        proxyAllowIPs = try values[.proxyAllowIPs]
        rootPath = try values[.rootPath].path
        requestBodyMemory = try values[.requestBodyMemory]
        streamRequestBody = try values[.streamRequestBody]
        temporaryUploadDirectory = try values[.temporaryUploadDirectory]
        sendfile = try values[.sendfile]
        responseBuffer = try values[.responseBuffer]
        responseSpool = try values[.responseSpool]
        responseWait = try values[.responseWait]
        bufferMemory = try values[.bufferMemory]
        spoolLimit = try values[.spoolLimit]

        reloadStep = try values[.reloadStep]
        bootTimeout = try values[.bootTimeout]
        user = try values[.user]
        group = try values[.group]
        initgroups = try values[.initgroups]
        umask = try values[.umask]
        socketUmask = given["umask"].map { $0.value != SettingValue.none } ?? false ? umask : 0o007
        pidfile = try values[.pidfile]
        daemon = try values[.daemon]
        preloadApp = try values[.preloadApp]
        reusePort = try values[.reusePort]
        environment = try values[.environment]
        reload = try values[.reload]
        reloadEngine = try values[.reloadEngine]
        reloadExtraFiles = try values[.reloadExtraFiles]

        accessLog = try values[.accessLog]
        accessLogFormat = try values[.accessLogFormat]
        accessLogJSON = try values[.accessLogJSON]
        statsdHost = try values[.statsdHost]
        statsdPrefix = try values[.statsdPrefix]
        dogstatsdTags = try values[.dogstatsdTags]
        enableBacklogMetric = try values[.enableBacklogMetric]

        let address = try values[.adminBind]
        adminBind = address.bind
        adminAllowIPs = try values[.adminAllowIPs]
        try AdminAddress.check(address, allowing: adminAllowIPs != AddressList(), given["admin_bind"])
        readyWindow = try values[.readyWindow]
        healthPath = try values[.healthPath]
        slowRequestLog = try values[.slowRequestLog]
        shown = ShownSetting.all(of: given)
    }
}
