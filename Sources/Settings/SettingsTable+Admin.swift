internal import HTTPWire
internal import ProxyWire

// What an operator is told, and where.

extension SettingKey<AdminAddress> {
    static let adminBind = SettingKey(
        Setting(
            "admin_bind", .control, ["--admin-bind"], .string, for: .worker, origin: .own, metavar: "ADDRESS",
            """
            Where health, readiness, metrics and status are answered, and what monoceros status, top, stacks and ctl \
            talk to: unix:PATH, whose file gets the mode 0600, or HOST:PORT of a loopback address. Off by default.
            """),
        read: { value throws(SettingFault) in try AdminAddress(value) })
}

extension SettingKey<AddressList> {
    static let adminAllowIPs = SettingKey(
        Setting(
            "admin_allow_ips", .control, ["--admin-allow-ips"], .commaList, default: .list([]), for: .worker,
            origin: .own, metavar: "STRING",
            """
            Who besides this machine may ask at --admin-bind: IP addresses and networks such as 10.0.0.0/8, separated by \
            commas. It has to be given for an address that other machines reach.
            """),
        read: { value throws(SettingFault) in try RequestPolicy.addresses(value) })
}

extension SettingKey<Int> {
    static let readyWindow = SettingKey(
        Setting(
            "ready_window", .control, ["--ready-window"], .int(1...86_400), default: .int(10), for: .worker,
            origin: .own, metavar: "SECONDS",
            "Seconds within which a runner must have been free for the server to call itself ready."))
}

extension SettingKey<String?> {
    static let healthPath = SettingKey(
        Setting(
            "health_path", .control, ["--health-path"], .string, for: .worker, origin: .own, metavar: "PATH",
            """
            A path that the server answers itself, before the application and while all runners are busy: 200 to say that \
            it lives. Below it, PATH/ready says whether it can take requests. Off by default.
            """),
        read: { value throws(SettingFault) in
            if value == .none || value == .string("") { return nil }
            let path = try MountPoint(value).path
            guard !path.isEmpty else { throw SettingFault(value, "give a path such as /health") }
            return path
        })
}

extension SettingKey<Int?> {
    static let slowRequestLog = SettingKey(
        Setting(
            "slow_request_log", .logging, ["--slow-request-log"], .int(SettingRange.anySeconds), default: .int(0),
            for: .worker, origin: .own, metavar: "SECONDS",
            """
            Seconds after which a request that is still running is written to the error log, once, with the stack of its \
            thread; 0 for never.
            """),
        nothing: 0)
}

extension SettingsTable {
    static let admin = [
        SettingKey<AdminAddress>.adminBind.entry,
        SettingKey<AddressList>.adminAllowIPs.entry,
        SettingKey<Int>.readyWindow.entry,
        SettingKey<String?>.healthPath.entry,
    ]
}
