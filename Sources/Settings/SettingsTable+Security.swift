internal import HTTPWire
internal import ProxyWire

// What requests must look like, and whose word counts about where they come from.

private let anyPeer = """
    IP addresses and networks such as 10.0.0.0/8, separated by commas; * stands for every address. Peers on Unix sockets \
    always are.
    """

extension SettingKey<Int> {
    static let limitRequestLine = SettingKey(
        Setting(
            "limit_request_line", .security, ["--limit-request-line"], .int(SettingRange.anyCount),
            default: .int(4094), for: .worker, metavar: "INT",
            "The longest request line, in bytes. 0, and what exceeds 1048576, mean 1048576."))
    static let limitRequestFields = SettingKey(
        Setting(
            "limit_request_fields", .security, ["--limit-request-fields"], .int(SettingRange.anyCount),
            default: .int(100), for: .worker, metavar: "INT",
            "How many header fields a request may have. 0, and what exceeds 32768, mean 32768."))
    // The underscore in the flag is gunicorn's.
    static let limitRequestFieldSize = SettingKey(
        Setting(
            "limit_request_field_size", .security, ["--limit-request-field_size"], .int(SettingRange.anyCount),
            default: .int(8190), for: .worker, metavar: "INT",
            """
            The longest header field, in bytes, name and line end included. 0 means 8190, and what exceeds 1048576 \
            means 1048576.
            """))
    static let limitRequestBody = SettingKey(
        Setting(
            "limit_request_body", .security, ["--limit-request-body"], .int(SettingRange.anyBytes), default: .int(0),
            for: .worker, origin: .own, metavar: "INT", "The largest request body, in bytes; 0 sets no limit."))
}

extension SettingKey<AddressList> {
    static let forwardedAllowIPs = SettingKey(
        Setting(
            "forwarded_allow_ips", .serverMechanics, ["--forwarded-allow-ips"], .commaList,
            default: .list(["127.0.0.1", "::1"]), for: .worker,
            environment: .init("FORWARDED_ALLOW_IPS", mayBeEmpty: true), metavar: "STRING",
            "Which proxies may set the scheme and the fields of --forwarder-headers. \(anyPeer)"),
        read: { value throws(SettingFault) in try RequestPolicy.addresses(value) })
    static let proxyAllowIPs = SettingKey(
        Setting(
            "proxy_allow_ips", .serverMechanics, ["--proxy-allow-from"], .commaList,
            default: .list(["127.0.0.1", "::1"]), for: .worker, metavar: "STRING",
            "Which proxies may send PROXY protocol headers. \(anyPeer)"),
        read: { value throws(SettingFault) in try RequestPolicy.addresses(value) })
}

extension SettingKey<[SecureSchemeHeader]> {
    // In gunicorn it stands in configuration files alone.
    static let secureSchemeHeaders = SettingKey(
        Setting(
            "secure_scheme_headers", .serverMechanics, ["--secure-scheme-headers"], .mapping,
            default: .mapping([
                "X-FORWARDED-PROTOCOL": "ssl", "X-FORWARDED-PROTO": "https", "X-FORWARDED-SSL": "on",
            ]),
            for: .worker, origin: .flag, metavar: "NAME=VALUE,...",
            """
            Fields by which a trusted proxy tells the scheme: https if the field has this very value, http if it has \
            another.
            """),
        read: { value throws(SettingFault) in try RequestPolicy.secureSchemeHeaders(value) })
}

extension SettingKey<ForwarderHeaders> {
    static let forwarderHeaders = SettingKey(
        Setting(
            "forwarder_headers", .serverMechanics, ["--forwarder-headers"], .commaList,
            default: .list(["SCRIPT_NAME", "PATH_INFO"]), for: .worker, metavar: "STRING",
            """
            Fields with an underscore in their name that a trusted proxy may send in spite of --header-map; * stands for \
            all of them.
            """),
        read: { value throws(SettingFault) in try RequestPolicy.forwarderHeaders(value) })
}

extension SettingKey<FieldNameMap> {
    static let headerMap = SettingKey(
        Setting(
            "header_map", .serverMechanics, ["--header-map"], .choice(FieldNameMap.allCases.map(\.rawValue)),
            default: .string(FieldNameMap.drop.rawValue), for: .worker, metavar: "STRING",
            """
            What to do with a field whose name has an underscore, which an application could not tell from a hyphen: \
            drop the field, refuse the request, or pass the field on, which lets clients forge what proxies set.
            """),
        read: { value throws(SettingFault) in
            guard case .string(let word) = value, let map = FieldNameMap(rawValue: word) else {
                throw SettingFault(
                    value, "choose from \(FieldNameMap.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return map
        })
}

extension SettingKey<ProxyMode?> {
    static let proxyProtocol = SettingKey(
        Setting(
            "proxy_protocol", .serverMechanics, ["--proxy-protocol"],
            .choice(["off"] + ProxyMode.allCases.map(\.rawValue)), default: .string("off"), for: .worker, bare: "auto",
            synonyms: ["false": "off", "0": "off", "none": "off", "true": "auto", "1": "auto"], metavar: "MODE",
            """
            Take the client's address from a PROXY protocol header at the start of a connection. With v1 or v2, every \
            connection must have one of that version; with auto, or no value, it may have one of either.
            """),
        read: { value throws(SettingFault) in
            guard case .string(let word) = value else { throw SettingFault(value, "it must be text") }
            return ProxyMode(rawValue: word)
        })
}

extension SettingKey<MountPoint> {
    // In gunicorn for ASGI alone; its WSGI workers read the variable SCRIPT_NAME.
    static let rootPath = SettingKey(
        Setting(
            "root_path", .serverMechanics, ["--root-path"], .string, default: .string(""), for: .worker,
            environment: .init("SCRIPT_NAME"), metavar: "STRING",
            """
            The path under which the application is mounted, SCRIPT_NAME in its environ. A SCRIPT_NAME field of a \
            trusted proxy goes before it.
            """),
        read: { value throws(SettingFault) in try MountPoint(value) })
}

extension SettingKey<Bool> {
    // gunicorn never asks for the field.
    static let permitMissingHost = SettingKey(
        leniency(
            "permit_missing_host", "--permit-missing-host", origin: .own,
            "Accept HTTP/1.1 requests whose Host field is missing or empty."))
    static let permitObsoleteFolding = SettingKey(
        leniency(
            "permit_obsolete_folding", "--permit-obsolete-folding",
            "Accept field values that go on in the next line. Only for old clients that cannot be helped."))
    static let stripHeaderSpaces = SettingKey(
        leniency(
            "strip_header_spaces", "--strip-header-spaces",
            """
            Accept spaces between a field's name and its colon. Dangerous behind a proxy that reads such lines in \
            another way.
            """))
    static let permitUnconventionalMethod = SettingKey(
        leniency(
            "permit_unconventional_http_method", "--permit-unconventional-http-method",
            "Accept methods with lower case letters or a number sign, and such as have not 3 to 20 characters."))
    static let permitUnconventionalVersion = SettingKey(
        leniency(
            "permit_unconventional_http_version", "--permit-unconventional-http-version",
            "Accept versions other than HTTP/1.0 and HTTP/1.1, and serve them as the nearest of the two."))
    static let casefoldMethod = SettingKey(
        leniency(
            "casefold_http_method", "--casefold-http-method",
            """
            Turn the letters of a method to upper case. Lower case has to be permitted as well, by \
            --permit-unconventional-http-method.
            """))

    private static func leniency(
        _ name: String, _ flag: String, origin: Setting.Origin = .gunicorn, _ text: String
    ) -> Setting {
        Setting(
            name, .serverMechanics, [flag], .flag(stores: true), default: .bool(false), for: .worker, origin: origin,
            text)
    }
}

extension SettingsTable {
    static let security = [
        SettingKey<Int>.limitRequestLine.entry,
        SettingKey<Int>.limitRequestFields.entry,
        SettingKey<Int>.limitRequestFieldSize.entry,
        SettingKey<Int>.limitRequestBody.entry,
    ]

    static let proxies = [
        SettingKey<AddressList>.forwardedAllowIPs.entry,
        SettingKey<[SecureSchemeHeader]>.secureSchemeHeaders.entry,
        SettingKey<ForwarderHeaders>.forwarderHeaders.entry,
        SettingKey<FieldNameMap>.headerMap.entry,
        SettingKey<ProxyMode?>.proxyProtocol.entry,
        SettingKey<AddressList>.proxyAllowIPs.entry,
        SettingKey<MountPoint>.rootPath.entry,
    ]

    static let leniency = [
        SettingKey<Bool>.permitMissingHost.entry,
        SettingKey<Bool>.permitObsoleteFolding.entry,
        SettingKey<Bool>.stripHeaderSpaces.entry,
        SettingKey<Bool>.permitUnconventionalMethod.entry,
        SettingKey<Bool>.permitUnconventionalVersion.entry,
        SettingKey<Bool>.casefoldMethod.entry,
    ]
}
