// Where the application is, where clients come in, and how many workers of which kind serve them.

extension SettingKey<[BindAddress]> {
    static let bind = SettingKey(
        Setting(
            "bind", .serverSocket, ["-b", "--bind"], .list, default: .list(["127.0.0.1:8000"]), for: .arbiter,
            environment: .init("PORT", format: "0.0.0.0:{}"), metavar: "ADDRESS",
            """
            An address to listen on: HOST, HOST:PORT, :PORT, [IPV6]:PORT, unix:PATH or fd://NUMBER. \
            Give it several times to listen on several.
            """),
        read: { value throws(SettingFault) in try BindAddress.list(value) })
}

extension SettingKey<Int32> {
    static let backlog = SettingKey(
        Setting(
            "backlog", .serverSocket, ["--backlog"], .int(SettingRange.anyCount), default: .int(2048), for: .arbiter,
            metavar: "INT", "How many connections may wait to be accepted. The system's net.core.somaxconn caps it."),
        read: { value throws(SettingFault) in
            guard case .int(let number) = value, let backlog = Int32(exactly: number) else {
                throw SettingFault(value, "it must be a whole number of 32 bits")
            }
            return backlog
        })
}

extension SettingKey<Int> {
    static let deferAccept = SettingKey(
        Setting(
            "defer_accept", .serverSocket, ["--defer-accept"], .int(0...3600), default: .int(1), for: .arbiter,
            origin: .own, metavar: "SECONDS",
            """
            Seconds for which the kernel keeps a new TCP connection to itself until the client's first bytes come. \
            Where clients make a connection for each request, one need not be looked at twice; a client that connects \
            and says nothing is unknown to the server for so long. 0 accepts at once. Sockets that were handed to the \
            server keep what they were given, and those that a worker has for itself (reuse_port) accept at once.
            """))
}

extension SettingKey<ServerConfiguration.WorkerClass> {
    static let workerClass = SettingKey(
        Setting(
            "worker_class", .workerProcesses, ["-k", "--worker-class"], .type, default: .string("sync"), for: .worker,
            metavar: "STRING",
            """
            How a worker runs the application: sync, one request at a time on the main thread, or gthread, on several \
            threads. It may name a class derived from one of these, as package.module.Class.
            """),
        read: { value throws(SettingFault) in try ServerConfiguration.WorkerClass(value) })
}

extension SettingKey<Int> {
    static let workers = SettingKey(
        Setting(
            "workers", .workerProcesses, ["-w", "--workers"], .int(SettingRange.anyCount), default: .int(1),
            for: .arbiter, environment: .init("WEB_CONCURRENCY"), metavar: "INT",
            "How many worker processes handle requests."))
    static let threads = SettingKey(
        Setting(
            "threads", .workerProcesses, ["--threads"], .int(1...4096), default: .int(1), for: .worker, metavar: "INT",
            "How many threads of a worker run the application. More than 1 makes sync workers gthread workers."))
    static let workerConnections = SettingKey(
        Setting(
            "worker_connections", .workerProcesses, ["--worker-connections"], .int(1...Int(Int32.max)),
            default: .int(1000), for: .worker, metavar: "INT",
            "How many client connections a worker holds at the same time."))
    static let maxRequestsJitter = SettingKey(
        Setting(
            "max_requests_jitter", .workerProcesses, ["--max-requests-jitter"], .int(SettingRange.anyCount),
            default: .int(0), for: .worker, metavar: "INT",
            "The most that is added at random to max_requests, so that workers are not all replaced at once."))
    static let gracefulTimeout = SettingKey(
        Setting(
            "graceful_timeout", .workerProcesses, ["--graceful-timeout"], .int(SettingRange.anySeconds),
            default: .int(30), for: .worker, metavar: "INT",
            "How many seconds a worker that was told to stop, or replaces itself, has to finish its requests and leave."
        ))
    // gunicorn's 2 s are shorter than what load balancers keep connections for, which shows as sporadic 502s.
    static let keepAlive = SettingKey(
        Setting(
            "keepalive", .workerProcesses, ["--keep-alive"], .int(SettingRange.anySeconds), default: .int(75),
            for: .worker, metavar: "INT",
            "How many seconds an idle connection stays open for another request; 0 closes after each response."))
    static let requestHeadTimeout = SettingKey(
        Setting(
            "request_head_timeout", .workerProcesses, ["--request-head-timeout"],
            .int(1...SettingRange.anySeconds.upperBound), default: .int(10), for: .worker, origin: .own,
            metavar: "INT", "How many seconds a client has to send the whole head of a request."))
}

extension SettingKey<Int?> {
    static let maxRequests = SettingKey(
        Setting(
            "max_requests", .workerProcesses, ["--max-requests"], .int(SettingRange.anyCount), default: .int(0),
            for: .worker, metavar: "INT",
            "How many requests a worker serves before it is replaced by a new one; 0 sets no limit."),
        nothing: 0)
    static let timeout = SettingKey(
        Setting(
            "timeout", .workerProcesses, ["-t", "--timeout"], .int(SettingRange.anySeconds), default: .int(30),
            for: .worker, metavar: "INT",
            """
            After how many seconds a worker that is stuck is ended and replaced: a sync worker in a request, a gthread \
            worker in which no thread gets to run Python; 0 waits for ever.
            """),
        nothing: 0)
    static let requestTimeout = SettingKey(
        Setting(
            "request_timeout", .workerProcesses, ["--request-timeout"], .int(SettingRange.anySeconds),
            default: .int(0), for: .worker, origin: .own, metavar: "INT",
            """
            How many seconds the application may take for a request before its worker is replaced. With 0, timeout is \
            the limit in a sync worker, and there is none in a gthread worker.
            """),
        nothing: 0)
    static let requestBodyTimeout = SettingKey(
        Setting(
            "request_body_timeout", .workerProcesses, ["--request-body-timeout"], .int(SettingRange.anySeconds),
            default: .int(30), for: .worker, origin: .own, metavar: "INT",
            """
            In each so many seconds, a client must send at least 1 KiB of a request body, or the rest of it; \
            0 sets no limit.
            """),
        nothing: 0)
    static let responseWriteTimeout = SettingKey(
        Setting(
            "response_write_timeout", .workerProcesses, ["--response-write-timeout"], .int(SettingRange.anySeconds),
            default: .int(30), for: .worker, origin: .own, metavar: "INT",
            """
            In each so many seconds, a client must take at least 1 KiB of a response, or the rest of it; \
            0 sets no limit.
            """),
        nothing: 0)
}

extension SettingsTable {
    static let application = [
        Entry(
            Setting(
                "config", .configFile, ["-c", "--config"], .string, default: .string("./gunicorn.conf.py"),
                for: .python, metavar: "CONFIG",
                """
                The configuration file: PATH, file:PATH or python:MODULE. Without it, monoceros.conf.py or \
                gunicorn.conf.py in the current directory is read, if there is one. In such a file it has no effect.
                """)),
        Entry(
            Setting(
                "wsgi_app", .configFile, [], .string, for: .python, metavar: "STRING",
                "The application to serve, as module:name. What the command line names comes first.")),
    ]

    static let sockets = [
        SettingKey<[BindAddress]>.bind.entry, SettingKey<Int32>.backlog.entry, SettingKey<Int>.deferAccept.entry,
    ]

    static let workers = [
        SettingKey<Int>.workers.entry,
        SettingKey<ServerConfiguration.WorkerClass>.workerClass.entry,
        SettingKey<Int>.threads.entry,
        SettingKey<Int>.workerConnections.entry,
    ]

    static let workerLimits = [
        SettingKey<Int?>.maxRequests.entry,
        SettingKey<Int>.maxRequestsJitter.entry,
        SettingKey<Int?>.maxWorkerLifetime.entry,
        SettingKey<Int>.maxWorkerLifetimeJitter.entry,
        SettingKey<Int?>.maxWorkerMemory.entry,
        SettingKey<Int?>.reforkAfter.entry,
        SettingKey<Int?>.timeout.entry,
        SettingKey<Int?>.requestTimeout.entry,
        SettingKey<Int>.gracefulTimeout.entry,
        SettingKey<Int?>.bootTimeout.entry,
        SettingKey<Int>.reloadStep.entry,
        SettingKey<Int>.keepAlive.entry,
        SettingKey<Int>.requestHeadTimeout.entry,
        SettingKey<Int?>.requestBodyTimeout.entry,
        SettingKey<Int?>.responseWriteTimeout.entry,
    ]
}

extension BindAddress {
    /// At least one address.
    static func list(_ value: SettingValue) throws(SettingFault) -> [BindAddress] {
        let texts = try value.texts
        if texts.isEmpty { throw SettingFault(value, "give at least one address to listen on") }
        var addresses: [BindAddress] = []
        for text in texts {
            do throws(ParseError) {
                addresses.append(try BindAddress(parsing: text))
            } catch {
                throw SettingFault(.string(text), error.remedy)
            }
        }
        return addresses
    }
}

extension ServerConfiguration.WorkerClass {
    /// From gunicorn's names of its worker classes.
    init(_ value: SettingValue) throws(SettingFault) {
        guard case .string(let name) = value else { throw SettingFault(value, "it must be text") }
        switch name {
        case "sync", "egg:gunicorn#sync", "gunicorn.workers.sync.SyncWorker", "monoceros.workers.sync.SyncWorker":
            self = .sync
        case "gthread", "egg:gunicorn#gthread", "gunicorn.workers.gthread.ThreadWorker",
            "monoceros.workers.gthread.ThreadWorker":
            self = .gthread
        default:
            if let remedy = Self.remedy(for: name) { throw SettingFault(value, remedy) }
            // A class of the user's. Python loads it when modules can be found, and tells which of the two it is.
            self = .sync
        }
    }

    /// What to do instead of a class that there is not; nil for one that may be one.
    private static func remedy(for name: String) -> String? {
        let others = "choose from sync, gthread"
        if name == "asgi" || name.hasPrefix("uvicorn") || name.hasSuffix("ASGIWorker") {
            return "ASGI is not there yet; \(others)"
        }
        if ["gevent", "eventlet", "tornado", "aiohttp"].contains(where: { name.lowercased().names($0) }) {
            return "there are no workers of event loops; gthread with --threads serves many requests at a time"
        }
        let isOwn = !name.hasPrefix("gunicorn.") && !name.hasPrefix("egg:gunicorn#")
        if isOwn, name.names(".") || name.hasPrefix("egg:") { return nil }
        return "there is no such worker class; \(others), or name one of yours, derived from "
            + "monoceros.workers.sync.SyncWorker or ThreadWorker, as package.module.Class"
    }
}

extension String {
    /// Whether the text has the word in it, anywhere.
    fileprivate func names(_ word: String) -> Bool {
        indices.contains { self[$0...].hasPrefix(word) }
    }
}
