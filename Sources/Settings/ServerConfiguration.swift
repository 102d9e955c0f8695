/// The settings as the server uses them: typed, in range, with the meaning of special values worked out.
public struct ServerConfiguration: Equatable, Sendable {
    public enum WorkerClass: String, CaseIterable, Sendable {
        case sync
    }

    /// At least one.
    public let bind: [BindAddress]
    /// Connections that may wait in listen(2).
    public let backlog: Int32
    /// Worker processes.
    public let workers: Int
    public let workerClass: WorkerClass
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
    /// Bytes, without the line end.
    public let limitRequestLine: Int
    /// Number of field lines.
    public let limitRequestFields: Int
    /// Bytes, with the line end.
    public let limitRequestFieldSize: Int
    /// Bytes; nil sets no limit.
    public let limitRequestBody: Int?
    /// Bytes of a request body that stay in memory.
    public let requestBodyMemory: Int
    /// The application reads bodies while they come.
    public let streamRequestBody: Bool
    /// Where larger bodies are spooled to; nil leaves it to the system.
    public let temporaryUploadDirectory: String?
    public let sendfile: Bool

    /// No limit on the request's head is ever larger: a client must not make a worker hold more.
    static let largestLineLimit = 1 << 20
    static let largestFieldsLimit = 32768

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
        workerClass = string("worker_class").flatMap(WorkerClass.init) ?? .sync
        workerConnections = int("worker_connections")
        gracefulTimeout = int("graceful_timeout")
        keepAlive = int("keepalive")
        requestHeadTimeout = int("request_head_timeout")
        requestBodyTimeout = int("request_body_timeout") == 0 ? nil : int("request_body_timeout")
        responseWriteTimeout = int("response_write_timeout") == 0 ? nil : int("response_write_timeout")
        limitRequestLine = Self.limit(
            int("limit_request_line"), zero: Self.largestLineLimit, most: Self.largestLineLimit)
        limitRequestFields = Self.limit(
            int("limit_request_fields"), zero: Self.largestFieldsLimit, most: Self.largestFieldsLimit)
        limitRequestFieldSize = Self.limit(int("limit_request_field_size"), zero: 8190, most: Self.largestLineLimit)
        limitRequestBody = int("limit_request_body") == 0 ? nil : int("limit_request_body")
        requestBodyMemory = int("request_body_memory")
        streamRequestBody = checked["stream_request_body"] == .bool(true)
        temporaryUploadDirectory = string("tmp_upload_dir")
        sendfile = checked["sendfile"] != .bool(false)
    }

    /// gunicorn's reading of its limits: 0 stands for `zero`, and no value exceeds `most`.
    private static func limit(_ value: Int, zero: Int, most: Int) -> Int {
        value == 0 ? zero : min(value, most)
    }

    private static func addresses(_ texts: [String]) throws(SettingError) -> [BindAddress] {
        func refuse(_ value: SettingValue, _ remedy: String) -> SettingError {
            SettingError(setting: "bind", source: Setting.named("bind")?.source ?? "", value: value, remedy: remedy)
        }
        if texts.isEmpty {
            throw refuse(.list([]), "give at least one address to listen on")
        }
        var addresses: [BindAddress] = []
        for text in texts {
            do throws(BindAddress.ParseError) {
                addresses.append(try BindAddress(parsing: text))
            } catch {
                throw refuse(.string(text), error.remedy)
            }
        }
        return addresses
    }
}
