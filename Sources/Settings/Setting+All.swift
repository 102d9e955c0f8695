extension Setting {
    /// Every setting, in the order of the documentation. Names, flags and defaults are gunicorn's where it has the
    /// setting; the ones that it lacks say so.
    public static let all: [Setting] = application + socket + workers + security + requestPolicy + mechanics + logging

    /// The setting of that name.
    public static func named(_ name: String) -> Setting? {
        all.first { $0.name == name }
    }

    /// About 31 years in seconds: far enough, and its nanoseconds fit 64 bits.
    private static let anySeconds = 0...1_000_000_000
    private static let anyCount = 0...Int(Int32.max)
    private static let anyBytes = 0...(1 << 62)

    private static let application: [Setting] = [
        Setting(
            "wsgi_app", section: "Config File", kind: .string, default: .none, metavar: "STRING",
            text: "The application to serve, as module:name. What the command line names comes first.")
    ]

    private static let socket: [Setting] = [
        Setting(
            "bind", section: "Server Socket", flags: ["-b", "--bind"], kind: .list, default: .list(["127.0.0.1:8000"]),
            environment: Environment("PORT", format: "0.0.0.0:{}"), metavar: "ADDRESS",
            text: """
                An address to listen on: HOST, HOST:PORT, :PORT, [IPV6]:PORT, unix:PATH or fd://NUMBER. \
                Give it several times to listen on several.
                """),
        Setting(
            "backlog", section: "Server Socket", flags: ["--backlog"], kind: .int(anyCount), default: .int(2048),
            metavar: "INT",
            text: "How many connections may wait to be accepted. The system's net.core.somaxconn caps it."),
    ]

    private static let workers: [Setting] = [
        Setting(
            "workers", section: "Worker Processes", flags: ["-w", "--workers"], kind: .int(anyCount), default: .int(1),
            environment: Environment("WEB_CONCURRENCY"), metavar: "INT",
            text: "How many worker processes handle requests."),
        Setting(
            "worker_class", section: "Worker Processes", flags: ["-k", "--worker-class"],
            kind: .choice(ServerConfiguration.WorkerClass.allCases.map(\.rawValue)),
            default: .string("sync"), metavar: "STRING",
            text: """
                How a worker runs the application: sync, one request at a time on the main thread, or gthread, on \
                several threads.
                """),
        Setting(
            "threads", section: "Worker Processes", flags: ["--threads"], kind: .int(1...4096), default: .int(1),
            metavar: "INT",
            text: """
                How many threads of a worker run the application. More than 1 makes sync workers gthread workers.
                """),
        Setting(
            "worker_connections", section: "Worker Processes", flags: ["--worker-connections"],
            kind: .int(1...Int(Int32.max)), default: .int(1000), metavar: "INT",
            text: "How many client connections a worker holds at the same time."),
        Setting(
            "max_requests", section: "Worker Processes", flags: ["--max-requests"], kind: .int(anyCount),
            default: .int(0), metavar: "INT",
            text: "How many requests a worker serves before it is replaced by a new one; 0 sets no limit."),
        Setting(
            "max_requests_jitter", section: "Worker Processes", flags: ["--max-requests-jitter"],
            kind: .int(anyCount), default: .int(0), metavar: "INT",
            text: "The most that is added at random to max_requests, so that workers are not all replaced at once."),
        Setting(
            "timeout", section: "Worker Processes", flags: ["-t", "--timeout"], kind: .int(anySeconds),
            default: .int(30), metavar: "INT",
            text: """
                After how many seconds a worker that is stuck is ended and replaced: a sync worker in a request, a \
                gthread worker in which no thread gets to run Python; 0 waits for ever.
                """),
        // Not in gunicorn.
        Setting(
            "request_timeout", section: "Worker Processes", flags: ["--request-timeout"], kind: .int(anySeconds),
            default: .int(0), metavar: "INT",
            text: """
                How many seconds the application may take for a request before its worker is replaced. With 0, timeout \
                is the limit in a sync worker, and there is none in a gthread worker.
                """),
        Setting(
            "graceful_timeout", section: "Worker Processes", flags: ["--graceful-timeout"], kind: .int(anySeconds),
            default: .int(30), metavar: "INT",
            text: """
                How many seconds a worker that was told to stop, or replaces itself, has to finish its requests and \
                leave.
                """),
        // gunicorn's 2 s are shorter than what load balancers keep connections for, which shows as sporadic 502s.
        Setting(
            "keepalive", section: "Worker Processes", flags: ["--keep-alive"], kind: .int(anySeconds),
            default: .int(75), metavar: "INT",
            text: "How many seconds an idle connection stays open for another request; 0 closes after each response."),
        // Not in gunicorn.
        Setting(
            "request_head_timeout", section: "Worker Processes", flags: ["--request-head-timeout"],
            kind: .int(1...anySeconds.upperBound), default: .int(10), metavar: "INT",
            text: "How many seconds a client has to send the whole head of a request."),
        // Not in gunicorn.
        Setting(
            "request_body_timeout", section: "Worker Processes", flags: ["--request-body-timeout"],
            kind: .int(anySeconds), default: .int(30), metavar: "INT",
            text: """
                In each so many seconds, a client must send at least 1 KiB of a request body, or the rest of it; \
                0 sets no limit.
                """),
        // Not in gunicorn.
        Setting(
            "response_write_timeout", section: "Worker Processes", flags: ["--response-write-timeout"],
            kind: .int(anySeconds), default: .int(30), metavar: "INT",
            text: """
                In each so many seconds, a client must take at least 1 KiB of a response, or the rest of it; \
                0 sets no limit.
                """),
    ]

    private static let security: [Setting] = [
        Setting(
            "limit_request_line", section: "Security", flags: ["--limit-request-line"], kind: .int(anyCount),
            default: .int(4094), metavar: "INT",
            text: "The longest request line, in bytes. 0, and what exceeds 1048576, mean 1048576."),
        Setting(
            "limit_request_fields", section: "Security", flags: ["--limit-request-fields"], kind: .int(anyCount),
            default: .int(100), metavar: "INT",
            text: "How many header fields a request may have. 0, and what exceeds 32768, mean 32768."),
        // The underscore in the flag is gunicorn's.
        Setting(
            "limit_request_field_size", section: "Security", flags: ["--limit-request-field_size"],
            kind: .int(anyCount), default: .int(8190), metavar: "INT",
            text: """
                The longest header field, in bytes, name and line end included. 0 means 8190, \
                and what exceeds 1048576 means 1048576.
                """),
        // Not in gunicorn.
        Setting(
            "limit_request_body", section: "Security", flags: ["--limit-request-body"], kind: .int(anyBytes),
            default: .int(0), metavar: "INT",
            text: "The largest request body, in bytes; 0 sets no limit."),
    ]

    private static let mechanics: [Setting] = [
        Setting(
            "chdir", section: "Server Mechanics", flags: ["--chdir"], kind: .string, default: .none, metavar: "PATH",
            text: "The directory to change to before the application is loaded. It is the current one by default."),
        Setting(
            "sendfile", section: "Server Mechanics", flags: ["--no-sendfile"], kind: .flag(stores: false),
            default: .bool(true), environment: Environment("SENDFILE"),
            text: "Do not use sendfile(2) for files that the application returns through wsgi.file_wrapper."),
        // Not in gunicorn.
        Setting(
            "request_body_memory", section: "Server Mechanics", flags: ["--request-body-memory"],
            kind: .int(anyBytes), default: .int(65536), metavar: "INT",
            text: "How many bytes of a request body stay in memory; a larger body is spooled to a file."),
        // Not in gunicorn, which does nothing else.
        Setting(
            "stream_request_body", section: "Server Mechanics", flags: ["--stream-request-body"],
            kind: .flag(stores: true), default: .bool(false),
            text: """
                Call the application when a request's head is complete, and let it read the body while the client sends \
                it. A slow client then holds a worker for as long as its upload takes.
                """),
        // Not in gunicorn.
        Setting(
            "response_buffer", section: "Server Mechanics", flags: ["--response-buffer"],
            kind: .int(anyBytes), default: .int(1 << 20), metavar: "INT",
            text: """
                How many bytes of a response may wait for a slow client before the application is held up; 0 holds it up \
                until the kernel's send buffer has taken everything. The last block of a response never holds it up.
                """),
        // gunicorn knows the name, never reads it and has no flag for it.
        Setting(
            "tmp_upload_dir", section: "Server Mechanics", flags: ["--tmp-upload-dir"], kind: .string, default: .none,
            metavar: "PATH",
            text: "The directory of the files that large request bodies are spooled to; TMPDIR or /tmp by default."),
    ]

    private static let logging: [Setting] = [
        Setting(
            "loglevel", section: "Logging", flags: ["--log-level"], kind: .string, default: .string("info"),
            metavar: "LEVEL",
            text: "The least severe messages to log: debug, info, warning, error or critical.")
    ]
}
