import HTTPWire
import ProxyWire
import Testing

@testable import Settings

@Suite struct ServerConfigurationTests {
    @Test func hasTheTablesDefaults() throws {
        let made = try configuration([:])
        #expect(made.bind == [.tcp(host: "127.0.0.1", port: 8000)])
        #expect(made.backlog == 2048)
        #expect(made.workers == 1)
        #expect(made.workerClass == .sync)
        #expect(made.workerConnections == 1000)
        #expect(made.gracefulTimeout == 30)
        #expect(made.keepAlive == 75)
        #expect(made.requestHeadTimeout == 10)
        #expect(made.requestBodyTimeout == 30)
        #expect(made.responseWriteTimeout == 30)
        #expect(made.proxyProtocol == nil)
        #expect(made.rootPath == "")
        #expect(made.requestBodyMemory == 65536)
        #expect(!made.streamRequestBody)
        #expect(made.temporaryUploadDirectory == nil)
        #expect(made.sendfile)
        #expect(made.responseBuffer == 1 << 20)
    }

    @Test func takesWhatItIsGiven() throws {
        let made = try configuration([
            "bind": .list(["[::1]:1", "unix:/a"]), "backlog": .int(1), "workers": .int(0),
            "worker_class": .string("sync"), "worker_connections": .int(2), "graceful_timeout": .int(3),
            "keepalive": .int(0), "request_head_timeout": .int(5), "limit_request_line": .int(6),
            "request_body_timeout": .int(11), "response_write_timeout": .int(0),
            "limit_request_fields": .int(7), "limit_request_field_size": .int(8), "limit_request_body": .int(9),
            "request_body_memory": .int(0), "stream_request_body": .bool(true), "tmp_upload_dir": .string("/var/tmp"),
            "sendfile": .bool(false), "response_buffer": .int(0), "chdir": .string("/"),
            "wsgi_app": .string("module:app"), "loglevel": .string("debug"),
        ])
        #expect(made.bind == [.tcp(host: "::1", port: 1), .unix(path: "/a")])
        #expect(made.backlog == 1)
        #expect(made.workers == 0)
        #expect(made.workerConnections == 2)
        #expect(made.gracefulTimeout == 3)
        #expect(made.keepAlive == 0)
        #expect(made.requestHeadTimeout == 5)
        #expect(made.requestBodyTimeout == 11)
        #expect(made.responseWriteTimeout == nil)
        #expect(made.policy.limitRequestLine == 6)
        #expect(made.policy.limitRequestFields == 7)
        #expect(made.policy.limitRequestFieldSize == 8)
        #expect(made.policy.limitRequestBody == 9)
        #expect(made.requestBodyMemory == 0)
        #expect(made.streamRequestBody)
        #expect(made.temporaryUploadDirectory == "/var/tmp")
        #expect(!made.sendfile)
        #expect(made.responseBuffer == 0)
    }

    @Test func severalThreadsMakeAGthreadWorker() throws {
        #expect(try configuration([:]).threads == 1)
        #expect(try configuration(["threads": .int(2)]).workerClass == .gthread)
        #expect(try configuration(["threads": .int(1)]).workerClass == .sync)
        #expect(try configuration(["worker_class": .string("gthread")]).workerClass == .gthread)
        #expect(
            try configuration(["worker_class": .string("sync"), "threads": .int(4)]).workerClass == .gthread)
    }

    /// gunicorn's `timeout` is the limit of a request where the worker has one thread, and no limit of it where it has
    /// several.
    @Test func whatLimitsARequest() throws {
        func limit(_ timeout: Int, _ request: Int, threads: Int) throws -> Int? {
            try configuration([
                "timeout": .int(timeout), "request_timeout": .int(request), "threads": .int(threads),
            ]).requestTimeout
        }
        #expect(try configuration([:]).timeout == 30)
        #expect(try configuration([:]).requestTimeout == 30)
        #expect(try limit(0, 0, threads: 1) == nil)
        #expect(try limit(5, 0, threads: 1) == 5)
        #expect(try limit(5, 3, threads: 1) == 3)
        #expect(try limit(5, 7, threads: 1) == 5)
        #expect(try limit(0, 7, threads: 1) == 7)
        #expect(try limit(5, 0, threads: 2) == nil)
        #expect(try limit(5, 7, threads: 2) == 7)
    }

    @Test func requestsPerWorker() throws {
        #expect(try configuration([:]).maxRequests == nil)
        let made = try configuration(["max_requests": .int(10), "max_requests_jitter": .int(3)])
        #expect(made.maxRequests == 10)
        #expect(made.maxRequestsJitter == 3)
    }

    @Test func sharesOfAWorker() throws {
        let nothing = try configuration([:])
        #expect(nothing.maxWorkerLifetime == nil && nothing.maxWorkerMemory == nil)
        let made = try configuration([
            "max_worker_lifetime": .int(60), "max_worker_lifetime_jitter": .int(5), "max_worker_memory": .int(1 << 20),
        ])
        #expect(made.maxWorkerLifetime == 60 && made.maxWorkerLifetimeJitter == 5)
        #expect(made.maxWorkerMemory == 1 << 20)
    }

    @Test func unixSocketsAreForUserAndGroupUnlessAsked() throws {
        #expect(try configuration([:]).socketUmask == 0o007)
        #expect(try configuration(["umask": .none]).socketUmask == 0o007)
        #expect(try configuration(["umask": .int(0)]).socketUmask == 0)
        #expect(try configuration(["umask": .int(0o077)]).socketUmask == 0o077)
    }

    @Test func noneMeansTheDefault() throws {
        let nothing = Dictionary(
            uniqueKeysWithValues: SettingsTable.settings.filter { $0.kind.takesNone }.map {
                ($0.name, SettingValue.none)
            })
        #expect(nothing.count > 50)
        #expect(try configuration(nothing) == configuration([:]))
    }

    @Test(arguments: [
        ("bind", SettingValue.list([]), "at least one address"),
        ("bind", .list(["127.0.0.1:80", "host:port"]), "port"),
        ("bind", .int(8000), "list"),
        ("workers", .int(-1), "from 0"),
        ("worker_class", .string("gevent"), "event loops"),
        ("worekrs", .int(2), "no such setting"),
    ])
    func refusesWhatItCannotUse(name: String, value: SettingValue, mention: String) {
        let error = #expect(throws: SettingError.self) { try configuration([name: value]) }
        #expect(error?.setting == name)
        #expect(error?.remedy.contains(mention) == true, "\(error?.description ?? "accepted")")
    }

    @Test func namesTheOneBadAddressOfSeveralAndItsSource() {
        let error = #expect(throws: SettingError.self) {
            try ServerConfiguration(["bind": GivenSetting(.list(["127.0.0.1:80", "host:port"]), from: "conf.py:3")])
        }
        #expect(
            error?.description
                == "Invalid value for bind (conf.py:3): 'host:port': the port must be a number from 0 to 65535")
    }

    @Test(arguments: [
        ("sync", ServerConfiguration.WorkerClass.sync), ("gthread", .gthread), ("egg:gunicorn#sync", .sync),
        ("gunicorn.workers.sync.SyncWorker", .sync), ("gunicorn.workers.gthread.ThreadWorker", .gthread),
        ("monoceros.workers.gthread.ThreadWorker", .gthread),
    ])
    func knowsGunicornsNamesOfWorkerClasses(name: String, kind: ServerConfiguration.WorkerClass) throws {
        #expect(try configuration(["worker_class": .string(name)]).workerClass == kind)
    }

    /// Python finds out which of the two it is (`Config.native`).
    @Test(arguments: ["mine.Worker", "egg:mine#worker"])
    func leavesClassesOfTheUsersToPython(name: String) throws {
        #expect(try configuration(["worker_class": .string(name)]).workerClass == .sync)
    }

    @Test(arguments: [
        ("gevent", "event loops"), ("gunicorn.workers.ggevent.GeventWorker", "event loops"), ("tornado", "event loops"),
        ("asgi", "ASGI is not there yet"), ("uvicorn.workers.UvicornWorker", "ASGI is not there yet"),
        ("aiohttp.GunicornWebWorker", "event loops"), ("synk", "no such worker class; choose from sync, gthread"),
        ("gunicorn.workers.mine.Worker", "no such worker class"), ("egg:gunicorn#mine", "no such worker class"),
    ])
    func saysWhyOtherWorkerClassesAreNotThere(name: String, mention: String) {
        #expect(complaint("worker_class", .string(name))?.remedy.contains(mention) == true)
    }

    @Test func whatTheArbiterIsTold() throws {
        let nothing = try configuration([:])
        #expect(nothing.user == nil && nothing.group == nil && nothing.pidfile == nil)
        #expect(!nothing.daemon && !nothing.preloadApp && !nothing.reusePort && !nothing.reload && !nothing.initgroups)
        #expect(nothing.umask == 0 && nothing.environment.isEmpty && nothing.reloadEngine == "auto")
        let made = try configuration([
            "user": .int(0), "group": .int(5), "initgroups": .bool(true), "umask": .int(0o22), "pidfile": .string("p"),
            "daemon": .bool(true), "preload_app": .bool(true), "reuse_port": .bool(true), "reload": .bool(true),
            "raw_env": .list(["A=b=c"]), "reload_engine": .string("poll"), "reload_extra_files": .list(["*.html"]),
        ])
        #expect(made.user == 0 && made.group == 5 && made.initgroups)
        #expect(made.umask == 0o22 && made.pidfile == "p")
        #expect(made.daemon && made.preloadApp && made.reusePort && made.reload)
        #expect(made.environment == ["A=b=c"] && made.reloadEngine == "poll" && made.reloadExtraFiles == ["*.html"])
    }

    @Test func whatIsWrittenAboutRequests() throws {
        let nothing = try configuration([:])
        #expect(nothing.accessLog == nil && nothing.statsdHost == nil && nothing.statsdPrefix == "")
        #expect(nothing.accessLogFormat.hasPrefix("%(h)s ") && nothing.dogstatsdTags == "")
        let made = try configuration([
            "accesslog": .string("-"), "access_log_format": .string("%(D)s"), "statsd_host": .string("localhost:8125"),
            "statsd_prefix": .string("a"), "dogstatsd_tags": .string("b:c"), "enable_backlog_metric": .bool(true),
        ])
        #expect(made.accessLog == "-" && made.accessLogFormat == "%(D)s" && made.statsdHost == "localhost:8125")
        #expect(made.statsdPrefix == "a" && made.dogstatsdTags == "b:c" && made.enableBacklogMetric)
    }

    // MARK: Features that are not there

    @Test(arguments: [
        ("certfile", SettingValue.string("c.pem"), "TLS"), ("keyfile", .string("k.pem"), "TLS"),
        ("http_protocols", .list(["h2", "h1"]), "HTTP/2"), ("http2_cleartext", .string("both"), "HTTP/2"),
        ("protocol", .string("uwsgi"), "http is the only"), ("dirty_apps", .list(["a:B"]), "dirty"),
        ("dirty_workers", .int(1), "dirty"),
    ])
    func refusesToStartWithoutAFeatureThatIsAskedFor(name: String, value: SettingValue, mention: String) {
        #expect(complaint(name, value) == nil, "the value itself is right")
        let error = #expect(throws: SettingError.self) { try configuration([name: value]) }
        #expect(error?.setting == name)
        #expect(error?.remedy.contains(mention) == true)
    }

    @Test func startsWithTheDefaultOfAFeatureThatIsNotThere() throws {
        for setting in SettingsTable.settings {
            guard case .missing = setting.consumer else { continue }
            #expect(try configuration([setting.name: setting.initial]) == configuration([:]))
        }
        let made = try configuration([
            "certfile": .string(""), "control_socket_disable": .bool(true), "control_socket": .string("/run/s"),
            "ca_certs": .string("a"),
        ])
        // They change nothing, and are shown for what they are.
        #expect(made.shown.map(\.name) == ["ca_certs", "control_socket", "control_socket_disable"])
        #expect(made.bind == (try configuration([:]).bind))
    }
}
