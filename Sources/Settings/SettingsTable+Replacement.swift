// How workers are replaced.

extension SettingKey<Int> {
    // One at a time needs the memory of one worker more, and leaves the processors to the requests. gunicorn forks as
    // many as there are.
    static let reloadStep = SettingKey(
        Setting(
            "reload_step", .workerProcesses, ["--reload-step"], .int(1...SettingRange.anyCount.upperBound),
            default: .int(1), for: .arbiter, origin: .own, metavar: "INT",
            """
            How many workers more than workers may exist at once while some are replaced, at a reload for one: so many \
            are replaced at a time.
            """))
    static let maxWorkerLifetimeJitter = SettingKey(
        Setting(
            "max_worker_lifetime_jitter", .workerProcesses, ["--max-worker-lifetime-jitter"],
            .int(SettingRange.anySeconds), default: .int(0), for: .worker, origin: .own, metavar: "INT",
            "The most seconds that are added at random to max_worker_lifetime, so that workers are not replaced together."
        ))
}

extension SettingsTable {
    /// Read in Python alone.
    static let immortalObjects = Entry(
        Setting(
            "immortal_objects", .serverMechanics, ["--no-immortal-objects"], .flag(stores: false), default: .bool(true),
            for: .python, origin: .own,
            """
            Do not make objects immortal before workers are forked. By default, with Python 3.12 and 3.13, code, \
            modules and data that are there before a fork are neither counted nor collected any more, so that workers \
            go on sharing their memory. What holds a resource, has a __del__ method or a weak reference to it is left \
            as it is.
            """))
}

extension SettingKey<Int?> {
    static let bootTimeout = SettingKey(
        Setting(
            "boot_timeout", .workerProcesses, ["--boot-timeout"], .int(SettingRange.anySeconds), default: .int(0),
            for: .arbiter, origin: .own, metavar: "INT",
            """
            How many seconds a worker may take to load the application before it is ended, and a server hook in the \
            master before the log names it; 0 waits for ever, and names a hook after 60.
            """),
        nothing: 0)
    static let maxWorkerLifetime = SettingKey(
        Setting(
            "max_worker_lifetime", .workerProcesses, ["--max-worker-lifetime"], .int(SettingRange.anySeconds),
            default: .int(0), for: .worker, origin: .own, metavar: "INT",
            "How many seconds a worker serves before it is replaced by a new one; 0 sets no limit."),
        nothing: 0)
    static let reforkAfter = SettingKey(
        Setting(
            "refork_after", .workerProcesses, ["--refork-after"], .int(SettingRange.anyCount), default: .int(0),
            for: .worker, origin: .own, metavar: "INT",
            """
            After how many requests a worker becomes the process that the next workers are forked from, so that they \
            begin warm and share its memory; 0 never does that. All workers are replaced then, one by one.
            """),
        nothing: 0)
    static let maxWorkerMemory = SettingKey(
        Setting(
            "max_worker_memory", .workerProcesses, ["--max-worker-memory"], .int(SettingRange.anyBytes),
            default: .int(0), for: .worker, origin: .own, metavar: "INT",
            """
            With how many bytes of memory a worker is replaced by a new one; 0 sets no limit. Of memory that processes \
            share, each has its part (PSS). It is looked at about once a second, so that a worker may have more for a \
            while.
            """),
        nothing: 0)
}
