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
}

extension SettingKey<Int?> {
    static let bootTimeout = SettingKey(
        Setting(
            "boot_timeout", .workerProcesses, ["--boot-timeout"], .int(SettingRange.anySeconds), default: .int(0),
            for: .arbiter, origin: .own, metavar: "INT",
            "How many seconds a worker may take to load the application before it is ended; 0 waits for ever."),
        nothing: 0)
}
