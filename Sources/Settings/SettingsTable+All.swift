extension SettingsTable {
    /// The table, in the order of the documentation. Names, flags and defaults are gunicorn's where it has the setting.
    static let entries: [Entry] =
        application + sockets + workers + workerLimits + asgi + security + debugging + mechanics + process + proxies
        + leniency + errorLog + accessLog + statsd + naming + hooks + tls + http2 + dirtyArbiters + control + admin
}

/// Ranges that several settings share.
enum SettingRange {
    /// About 31 years in seconds: far enough, and its nanoseconds fit 64 bits.
    static let anySeconds = 0...1_000_000_000
    static let anyCount = 0...Int(Int32.max)
    static let anyBytes = 0...(1 << 62)
}
