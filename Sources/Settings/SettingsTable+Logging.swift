// The error log, the access log and what is measured.

extension SettingKey<String?> {
    static let accessLog = SettingKey(
        Setting(
            "accesslog", .logging, ["--access-logfile"], .string, for: .worker, metavar: "FILE",
            "The file to log requests to; - is stdout. There is no access log by default."))
    static let statsdHost = SettingKey(
        Setting(
            "statsd_host", .logging, ["--statsd-host"], .address, for: .worker, metavar: "STATSD_ADDR",
            "The statsd server to send metrics to: HOST:PORT, or unix://PATH of a datagram socket."))
}

extension SettingKey<String> {
    static let accessLogFormat = SettingKey(
        Setting(
            "access_log_format", .logging, ["--access-logformat"], .string,
            default: .string(#"%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s""#), for: .worker,
            metavar: "STRING",
            """
            What a line of the access log says. %(h)s is the client's address, %(t)s the time, %(r)s the request line, \
            %(s)s the status, %(b)s the length of the body, %(D)s the microseconds it took.
            """))
    static let dogstatsdTags = SettingKey(
        Setting(
            "dogstatsd_tags", .logging, ["--dogstatsd-tags"], .string, default: .string(""), for: .worker,
            metavar: "DOGSTATSD_TAGS", "Tags of all metrics, separated by commas, in the form that Datadog reads."))
    static let statsdPrefix = SettingKey(
        Setting(
            "statsd_prefix", .logging, ["--statsd-prefix"], .string, default: .string(""), for: .worker,
            metavar: "STATSD_PREFIX", "What the names of all metrics start with; a dot is added."))
}

extension SettingKey<Bool> {
    static let accessLogJSON = SettingKey(
        Setting(
            "access_log_json", .logging, ["--access-log-json"], .flag(stores: true), default: .bool(false),
            for: .worker, origin: .own,
            """
            Write each line of the access log as a JSON object. Its fields are those that access_log_format names, \
            and in the same order.
            """))
    static let enableBacklogMetric = SettingKey(
        Setting(
            "enable_backlog_metric", .logging, ["--enable-backlog-metric"], .flag(stores: true),
            default: .bool(false), for: .arbiter,
            "Send how many connections wait to be accepted to the statsd server too."))
}

extension SettingsTable {
    static let errorLog = [
        Entry(
            Setting(
                "errorlog", .logging, ["--error-logfile", "--log-file"], .string, default: .string("-"), for: .python,
                metavar: "FILE", "The file of the error log; - is stderr.")),
        Entry(
            Setting(
                "loglevel", .logging, ["--log-level"], .string, default: .string("info"), for: .python,
                metavar: "LEVEL", "The least severe messages to log: debug, info, warning, error or critical.")),
        Entry(
            Setting(
                "capture_output", .logging, ["--capture-output"], .flag(stores: true), default: .bool(false),
                for: .python, "Send what the application writes to stdout and stderr to the file of the error log.")),
        Entry(
            Setting(
                "logger_class", .logging, ["--logger-class"], .type, default: .string("gunicorn.glogging.Logger"),
                for: .python, metavar: "STRING",
                "The class that writes the logs, by its full name. gunicorn's names stand for our own classes.")),
        Entry(
            Setting(
                "logconfig", .logging, ["--log-config"], .string, for: .python, metavar: "FILE",
                "A file in the ini format of Python's logging.config.")),
        Entry(
            Setting(
                "logconfig_dict", .logging, [], .dictionary, default: .mapping([:]), for: .python,
                "A dictionary for Python's logging.config.dictConfig; it comes before the other two.")),
        Entry(
            Setting(
                "logconfig_json", .logging, ["--log-config-json"], .string, for: .python, metavar: "FILE",
                "A JSON file with such a dictionary.")),
        Entry(
            Setting(
                "syslog_addr", .logging, ["--log-syslog-to"], .string, default: .string("udp://localhost:514"),
                for: .python, metavar: "SYSLOG_ADDR",
                "Where syslog is: udp://HOST:PORT, tcp://HOST:PORT, unix://PATH#dgram or unix://PATH#stream.")),
        Entry(
            Setting(
                "syslog", .logging, ["--log-syslog"], .flag(stores: true), default: .bool(false), for: .python,
                "Log to syslog.")),
        Entry(
            Setting(
                "syslog_prefix", .logging, ["--log-syslog-prefix"], .string, for: .python, metavar: "SYSLOG_PREFIX",
                "The name in lines for syslog, gunicorn.NAME; the process's name by default.")),
        Entry(
            Setting(
                "syslog_facility", .logging, ["--log-syslog-facility"], .string, default: .string("user"),
                for: .python, metavar: "SYSLOG_FACILITY", "The facility of lines for syslog.")),
        Entry(
            Setting(
                "enable_stdio_inheritance", .logging, ["-R", "--enable-stdio-inheritance"], .flag(stores: true),
                default: .bool(false), for: .python, "With --daemon, keep stdout and stderr.")),
    ]

    static let accessLog = [
        SettingKey<String?>.accessLog.entry,
        SettingKey<String>.accessLogFormat.entry,
        SettingKey<Bool>.accessLogJSON.entry,
        Entry(
            Setting(
                "disable_redirect_access_to_syslog", .logging, ["--disable-redirect-access-to-syslog"],
                .flag(stores: true), default: .bool(false), for: .python, "Keep the access log out of syslog.")),
        SettingKey<Int?>.slowRequestLog.entry,
    ]

    static let statsd = [
        SettingKey<String?>.statsdHost.entry,
        SettingKey<String>.dogstatsdTags.entry,
        SettingKey<String>.statsdPrefix.entry,
        SettingKey<Bool>.enableBacklogMetric.entry,
    ]
}
