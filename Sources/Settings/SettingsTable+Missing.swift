internal import HTTPWire

// Settings of gunicorn's for features that are not there. One that asks for the feature stops the start; one that only
// adjusts it has no effect without it.

extension SettingsTable {
    static let asgi = [
        idle(
            "asgi_loop", .workerProcesses, .choice(["auto", "asyncio", "uvloop"]), default: .string("auto"),
            metavar: "STRING", because: "there is no ASGI yet"),
        idle(
            "asgi_lifespan", .workerProcesses, .choice(["auto", "on", "off"]), default: .string("auto"),
            metavar: "STRING", because: "there is no ASGI yet"),
        idle(
            "asgi_disconnect_grace_period", .workerProcesses, .int(SettingRange.anySeconds), default: .int(3),
            metavar: "INT", because: "there is no ASGI yet"),
        idle(
            "websocket_max_message_size", .workerProcesses, .int(SettingRange.anyBytes), default: .int(16 << 20),
            metavar: "INT", because: "there is no ASGI yet"),
        idle(
            "http_parser", .workerProcesses, .choice(["auto", "fast", "python"]), default: .string("auto"),
            metavar: "STRING", because: "there is one parser, and it is compiled"),
    ]

    static let tls = [
        missing("certfile", .tls, .string, metavar: "FILE", tlsIsMissing),
        missing("keyfile", .tls, .string, metavar: "FILE", tlsIsMissing),
        idle("ssl_version", .tls, .anything, because: "there is no TLS yet"),
        idle("cert_reqs", .tls, .int(SettingRange.anyCount), default: .int(0), because: "there is no TLS yet"),
        idle("ca_certs", .tls, .string, metavar: "FILE", because: "there is no TLS yet"),
        idle(
            "suppress_ragged_eofs", .tls, .flag(stores: true), default: .bool(true), because: "there is no TLS yet"),
        idle(
            "do_handshake_on_connect", .tls, .flag(stores: true), default: .bool(false),
            because: "there is no TLS yet"),
        idle("ciphers", .tls, .string, because: "there is no TLS yet"),
        missing(
            "protocol", .serverMechanics, .string, default: .string("http"), metavar: "STRING",
            "http is the only protocol; let the proxy in front speak that (nginx: proxy_pass)"),
        idle(
            "uwsgi_allow_ips", .serverMechanics, .commaList, flag: "--uwsgi-allow-from",
            default: .list(["127.0.0.1", "::1"]), metavar: "STRING", because: "the uwsgi protocol is not spoken",
            rule: { value throws(SettingFault) in _ = try RequestPolicy.addresses(value) }),
    ]

    static let http2 = [
        missing(
            "http_protocols", .http2, .commaList, default: .list(["h1"]), metavar: "STRING",
            "h1 is the only one yet; a proxy in front speaks HTTP/2 to clients",
            rule: { value throws(SettingFault) in
                let names = try value.texts
                guard names.allSatisfy(["h1", "h2"].contains), Set(names).count == names.count else {
                    throw SettingFault(value, "give h1, h2 or both, separated by a comma")
                }
            }),
        missing(
            "http2_cleartext", .http2, .choice(["off", "prior-knowledge", "upgrade", "both"]), default: .string("off"),
            synonyms: ["true": "prior-knowledge", "false": "off"], metavar: "STRING",
            "there is no HTTP/2 yet; a proxy in front speaks it to clients"),
        idle(
            "http2_max_concurrent_streams", .http2, .int(1...Int(Int32.max)), default: .int(100), metavar: "INT",
            because: "there is no HTTP/2 yet"),
        idle(
            "http2_initial_window_size", .http2, .int(0...Int(Int32.max)), default: .int(65535), metavar: "INT",
            because: "there is no HTTP/2 yet"),
        idle(
            "http2_max_frame_size", .http2, .int(16384...16_777_215), default: .int(16384), metavar: "INT",
            because: "there is no HTTP/2 yet"),
        idle(
            "http2_max_header_list_size", .http2, .int(SettingRange.anyCount), default: .int(65536), metavar: "INT",
            because: "there is no HTTP/2 yet"),
    ]

    static let dirtyArbiters =
        [
            missing(
                "dirty_apps", .dirtyArbiters, .list, flag: "--dirty-app", default: .list([]), metavar: "STRING",
                "there are no dirty arbiters; give long work to a task queue"),
            missing(
                "dirty_workers", .dirtyArbiters, .int(SettingRange.anyCount), default: .int(0), metavar: "INT",
                "there are no dirty arbiters; give long work to a task queue"),
            idle(
                "dirty_timeout", .dirtyArbiters, .int(SettingRange.anySeconds), default: .int(300), metavar: "INT",
                because: "there are no dirty arbiters"),
            idle(
                "dirty_threads", .dirtyArbiters, .int(SettingRange.anyCount), default: .int(1), metavar: "INT",
                because: "there are no dirty arbiters"),
            idle(
                "dirty_graceful_timeout", .dirtyArbiters, .int(SettingRange.anySeconds), default: .int(30),
                metavar: "INT", because: "there are no dirty arbiters"),
        ] + dirtyHooks

    static let control = [
        idle("control_socket", .control, .string, metavar: "PATH", because: operators),
        idle(
            "control_socket_mode", .control, .mode(0...0o777), default: .int(0o600), metavar: "INT", because: operators),
        idle(
            "control_socket_disable", .control, .flag(stores: true), flag: "--no-control-socket", default: .bool(false),
            because: operators),
    ]

    private static let operators = "the server is told what to do at --admin-bind, by monoceros ctl"

    private static let tlsIsMissing =
        "there is no TLS yet; let a proxy in front end it (nginx, HAProxy, a load balancer)"

    /// - Parameter flag: nil for the one that has the name's own words.
    private static func missing(
        _ name: String, _ section: Setting.Section, _ kind: SettingKind, flag: String? = nil,
        default initial: SettingValue = .none, synonyms: [String: String] = [:], metavar: String? = nil,
        _ sentence: String, rule: SettingsTable.Rule? = nil
    ) -> Entry {
        Entry(
            Setting(
                name, section, [flag ?? longOption(name)], kind, default: initial, for: .missing(sentence),
                synonyms: synonyms, metavar: metavar, "Refused: \(sentence)."),
            isRead: false, rule: rule)
    }

    private static func idle(
        _ name: String, _ section: Setting.Section, _ kind: SettingKind, flag: String? = nil,
        default initial: SettingValue = .none, metavar: String? = nil, because reason: String,
        rule: SettingsTable.Rule? = nil
    ) -> Entry {
        Entry(
            Setting(
                name, section, [flag ?? longOption(name)], kind, default: initial, for: .nobody(reason),
                metavar: metavar, "Has no effect: \(reason)."),
            isRead: false, rule: rule)
    }

    private static func longOption(_ name: String) -> String {
        "--" + String(name.map { $0 == "_" ? "-" : $0 })
    }
}
