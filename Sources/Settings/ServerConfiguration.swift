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
    /// Bytes of a response that may wait for its client.
    public let responseBuffer: Int

    /// Makes the configuration from values by name; a name that is absent, or whose value is none, has its default.
    /// Names that only Python uses, such as `chdir`, are checked and left alone.
    public init(_ values: [String: SettingValue]) throws(SettingError) {
        for name in values.keys.sorted() where Setting.named(name) == nil {
            throw SettingError(
                setting: name, source: "setting", value: values[name] ?? .none, remedy: "there is no such setting")
        }
        var checked: [String: SettingValue] = [:]
        for setting in Setting.all {
            let value = values[setting.name] ?? .none
            checked[setting.name] = value == .none ? setting.initial : try setting.check(value)
        }
        // `check` and the table vouch for the types, so none of the defaults below is ever used.
        func int(_ name: String) -> Int { if case .int(let number)? = checked[name] { number } else { 0 } }
        func string(_ name: String) -> String? { if case .string(let text)? = checked[name] { text } else { nil } }
        func list(_ name: String) -> [String] { if case .list(let items)? = checked[name] { items } else { [] } }

        bind = try Self.addresses(list("bind"))
        backlog = Int32(int("backlog"))
        workers = int("workers")
        threads = int("threads")
        let named = string("worker_class").flatMap(WorkerClass.init) ?? .sync
        // As gunicorn does.
        workerClass = threads > 1 ? .gthread : named
        maxRequests = int("max_requests") == 0 ? nil : int("max_requests")
        maxRequestsJitter = int("max_requests_jitter")
        timeout = int("timeout") == 0 ? nil : int("timeout")
        let limits = [int("request_timeout"), workerClass == .sync ? int("timeout") : 0].filter { $0 > 0 }
        requestTimeout = limits.min()
        workerConnections = int("worker_connections")
        gracefulTimeout = int("graceful_timeout")
        keepAlive = int("keepalive")
        requestHeadTimeout = int("request_head_timeout")
        requestBodyTimeout = int("request_body_timeout") == 0 ? nil : int("request_body_timeout")
        responseWriteTimeout = int("response_write_timeout") == 0 ? nil : int("response_write_timeout")
        policy = try Self.requestPolicy(checked)
        forwardedAllowIPs = try Self.addressList("forwarded_allow_ips", list("forwarded_allow_ips"))
        proxyProtocol = string("proxy_protocol").flatMap(ProxyMode.init)
        proxyAllowIPs = try Self.addressList("proxy_allow_ips", list("proxy_allow_ips"))
        rootPath = try Self.mountPoint(string("root_path") ?? "")
        requestBodyMemory = int("request_body_memory")
        streamRequestBody = checked["stream_request_body"] == .bool(true)
        temporaryUploadDirectory = string("tmp_upload_dir")
        sendfile = checked["sendfile"] != .bool(false)
        responseBuffer = int("response_buffer")
    }

    private static func addresses(_ texts: [String]) throws(SettingError) -> [BindAddress] {
        if texts.isEmpty {
            throw refusal("bind", .list([]), "give at least one address to listen on")
        }
        var addresses: [BindAddress] = []
        for text in texts {
            do throws(BindAddress.ParseError) {
                addresses.append(try BindAddress(parsing: text))
            } catch {
                throw refusal("bind", .string(text), error.remedy)
            }
        }
        return addresses
    }

    static func refusal(_ name: String, _ value: SettingValue, _ remedy: String) -> SettingError {
        SettingError(setting: name, source: Setting.named(name)?.source ?? "", value: value, remedy: remedy)
    }
}
