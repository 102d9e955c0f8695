import HTTPWire
import ProxyWire
import Testing

@testable import Settings

@Suite struct ServerConfigurationTests {
    @Test func hasTheTablesDefaults() throws {
        let configuration = try ServerConfiguration([:])
        #expect(configuration.bind == [.tcp(host: "127.0.0.1", port: 8000)])
        #expect(configuration.backlog == 2048)
        #expect(configuration.workers == 1)
        #expect(configuration.workerClass == .sync)
        #expect(configuration.workerConnections == 1000)
        #expect(configuration.gracefulTimeout == 30)
        #expect(configuration.keepAlive == 75)
        #expect(configuration.requestHeadTimeout == 10)
        #expect(configuration.requestBodyTimeout == 30)
        #expect(configuration.responseWriteTimeout == 30)
        #expect(configuration.proxyProtocol == nil)
        #expect(configuration.rootPath == "")
        #expect(configuration.requestBodyMemory == 65536)
        #expect(!configuration.streamRequestBody)
        #expect(configuration.temporaryUploadDirectory == nil)
        #expect(configuration.sendfile)
        #expect(configuration.responseBuffer == 1 << 20)
    }

    @Test func takesWhatItIsGiven() throws {
        let configuration = try ServerConfiguration([
            "bind": .list(["[::1]:1", "unix:/a"]), "backlog": .int(1), "workers": .int(0),
            "worker_class": .string("sync"), "worker_connections": .int(2), "graceful_timeout": .int(3),
            "keepalive": .int(0), "request_head_timeout": .int(5), "limit_request_line": .int(6),
            "request_body_timeout": .int(11), "response_write_timeout": .int(0),
            "limit_request_fields": .int(7), "limit_request_field_size": .int(8), "limit_request_body": .int(9),
            "request_body_memory": .int(0), "stream_request_body": .bool(true), "tmp_upload_dir": .string("/var/tmp"),
            "sendfile": .bool(false), "response_buffer": .int(0), "chdir": .string("/"),
            "wsgi_app": .string("module:app"), "loglevel": .string("debug"),
        ])
        #expect(configuration.bind == [.tcp(host: "::1", port: 1), .unix(path: "/a")])
        #expect(configuration.backlog == 1)
        #expect(configuration.workers == 0)
        #expect(configuration.workerConnections == 2)
        #expect(configuration.gracefulTimeout == 3)
        #expect(configuration.keepAlive == 0)
        #expect(configuration.requestHeadTimeout == 5)
        #expect(configuration.requestBodyTimeout == 11)
        #expect(configuration.responseWriteTimeout == nil)
        #expect(configuration.policy.limitRequestLine == 6)
        #expect(configuration.policy.limitRequestFields == 7)
        #expect(configuration.policy.limitRequestFieldSize == 8)
        #expect(configuration.policy.limitRequestBody == 9)
        #expect(configuration.requestBodyMemory == 0)
        #expect(configuration.streamRequestBody)
        #expect(configuration.temporaryUploadDirectory == "/var/tmp")
        #expect(!configuration.sendfile)
        #expect(configuration.responseBuffer == 0)
    }

    @Test func severalThreadsMakeAGthreadWorker() throws {
        #expect(try ServerConfiguration([:]).threads == 1)
        #expect(try ServerConfiguration(["threads": .int(2)]).workerClass == .gthread)
        #expect(try ServerConfiguration(["threads": .int(1)]).workerClass == .sync)
        #expect(try ServerConfiguration(["worker_class": .string("gthread")]).workerClass == .gthread)
        #expect(
            try ServerConfiguration(["worker_class": .string("sync"), "threads": .int(4)]).workerClass == .gthread)
    }

    /// gunicorn's `timeout` is the limit of a request where the worker has one thread, and no limit of it where it has
    /// several.
    @Test func whatLimitsARequest() throws {
        func limit(_ timeout: Int, _ request: Int, threads: Int) throws -> Int? {
            try ServerConfiguration([
                "timeout": .int(timeout), "request_timeout": .int(request), "threads": .int(threads),
            ]).requestTimeout
        }
        #expect(try ServerConfiguration([:]).timeout == 30)
        #expect(try ServerConfiguration([:]).requestTimeout == 30)
        #expect(try limit(0, 0, threads: 1) == nil)
        #expect(try limit(5, 0, threads: 1) == 5)
        #expect(try limit(5, 3, threads: 1) == 3)
        #expect(try limit(5, 7, threads: 1) == 5)
        #expect(try limit(0, 7, threads: 1) == 7)
        #expect(try limit(5, 0, threads: 2) == nil)
        #expect(try limit(5, 7, threads: 2) == 7)
    }

    @Test func requestsPerWorker() throws {
        #expect(try ServerConfiguration([:]).maxRequests == nil)
        let configuration = try ServerConfiguration(["max_requests": .int(10), "max_requests_jitter": .int(3)])
        #expect(configuration.maxRequests == 10)
        #expect(configuration.maxRequestsJitter == 3)
    }

    @Test func noneMeansTheDefault() throws {
        let nothing = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.name, SettingValue.none) })
        #expect(try ServerConfiguration(nothing) == ServerConfiguration([:]))
    }

    @Test(arguments: [
        ("bind", SettingValue.list([]), "at least one address"),
        ("bind", .list(["127.0.0.1:80", "host:port"]), "port"),
        ("bind", .int(8000), "list"),
        ("workers", .int(-1), "from 0"),
        ("worker_class", .string("gevent"), "choose from sync"),
        ("worekrs", .int(2), "no such setting"),
    ])
    func refusesWhatItCannotUse(name: String, value: SettingValue, mention: String) {
        let error = #expect(throws: SettingError.self) { try ServerConfiguration([name: value]) }
        #expect(error?.setting == name)
        #expect(error?.remedy.contains(mention) == true, "\(error?.description ?? "accepted")")
    }

    @Test func namesTheOneBadAddressOfSeveral() {
        let error = #expect(throws: SettingError.self) {
            try ServerConfiguration(["bind": .list(["127.0.0.1:80", "host:port"])])
        }
        #expect(
            error?.description
                == "Invalid value for bind (-b/--bind, or PORT in the environment): 'host:port': "
                + "the port must be a number from 0 to 65535")
    }

    /// `init` falls back silently for a name it reads under another kind; this keeps the two in step.
    @Test func everyWorkerClassOfTheTableExists() throws {
        guard case .choice(let words) = try #require(Setting.named("worker_class")).kind else {
            Issue.record("worker_class is no choice")
            return
        }
        #expect(words == ServerConfiguration.WorkerClass.allCases.map(\.rawValue))
    }
}
