extension Setting {
    /// Which requests are accepted, and whose word counts about where they come from.
    static let requestPolicy: [Setting] = proxies + leniency

    private static let anyPeer = """
        IP addresses and networks such as 10.0.0.0/8, parted by commas; * stands for every address. \
        Peers on Unix sockets always are.
        """

    private static let proxies: [Setting] = [
        Setting(
            "forwarded_allow_ips", section: "Server Mechanics", flags: ["--forwarded-allow-ips"], kind: .commaList,
            default: .list(["127.0.0.1", "::1"]), environment: Environment("FORWARDED_ALLOW_IPS", mayBeEmpty: true),
            metavar: "STRING",
            text: "Which proxies may set the scheme and the fields of --forwarder-headers. \(anyPeer)"),
        Setting(
            "secure_scheme_headers", section: "Server Mechanics",
            // Not in gunicorn: there it stands in a configuration file.
            flags: ["--secure-scheme-headers"], kind: .mapping,
            default: .mapping([
                "X-FORWARDED-PROTOCOL": "ssl", "X-FORWARDED-PROTO": "https", "X-FORWARDED-SSL": "on",
            ]),
            metavar: "NAME=VALUE,...",
            text: """
                Fields by which a trusted proxy tells the scheme: https if the field has this very value, \
                http if it has another.
                """),
        Setting(
            "forwarder_headers", section: "Server Mechanics", flags: ["--forwarder-headers"], kind: .commaList,
            default: .list(["SCRIPT_NAME", "PATH_INFO"]), metavar: "STRING",
            text: """
                Fields with an underscore in their name that a trusted proxy may send in spite of --header-map; \
                * stands for all of them.
                """),
        Setting(
            "header_map", section: "Server Mechanics", flags: ["--header-map"],
            kind: .choice(["drop", "refuse", "dangerous"]), default: .string("drop"), metavar: "STRING",
            text: """
                What to do with a field whose name has an underscore, which an application could not tell from a hyphen: \
                drop the field, refuse the request, or pass the field on, which lets clients forge what proxies set.
                """),
        Setting(
            "proxy_protocol", section: "Server Mechanics", flags: ["--proxy-protocol"],
            kind: .choice(["off", "v1", "v2", "auto"]), default: .string("off"), bare: "auto",
            synonyms: ["false": "off", "0": "off", "none": "off", "true": "auto", "1": "auto"], metavar: "MODE",
            text: """
                Take the client's address from a PROXY protocol header at the start of a connection. With v1 or v2, \
                every connection must have one of that version; with auto, or no value, it may have one of either.
                """),
        Setting(
            "proxy_allow_ips", section: "Server Mechanics", flags: ["--proxy-allow-from"], kind: .commaList,
            default: .list(["127.0.0.1", "::1"]), metavar: "STRING",
            text: "Which proxies may send PROXY protocol headers. \(anyPeer)"),
        // In gunicorn for ASGI alone; its WSGI workers read the variable SCRIPT_NAME.
        Setting(
            "root_path", section: "Server Mechanics", flags: ["--root-path"], kind: .string, default: .string(""),
            environment: Environment("SCRIPT_NAME"), metavar: "STRING",
            text: """
                The path under which the application is mounted, SCRIPT_NAME in its environ. \
                A SCRIPT_NAME field of a trusted proxy goes before it.
                """),
    ]

    private static let leniency: [Setting] = [
        // Not in gunicorn, which never asks for the field.
        Setting(
            "permit_missing_host", section: "Server Mechanics", flags: ["--permit-missing-host"],
            kind: .flag(stores: true), default: .bool(false),
            text: "Accept HTTP/1.1 requests whose Host field is missing or empty."),
        Setting(
            "permit_obsolete_folding", section: "Server Mechanics", flags: ["--permit-obsolete-folding"],
            kind: .flag(stores: true), default: .bool(false),
            text: "Accept field values that go on in the next line. Only for old clients that cannot be helped."),
        Setting(
            "strip_header_spaces", section: "Server Mechanics", flags: ["--strip-header-spaces"],
            kind: .flag(stores: true), default: .bool(false),
            text: """
                Accept spaces between a field's name and its colon. Dangerous behind a proxy that reads such lines \
                in another way.
                """),
        Setting(
            "permit_unconventional_http_method", section: "Server Mechanics",
            flags: ["--permit-unconventional-http-method"], kind: .flag(stores: true), default: .bool(false),
            text: "Accept methods with lower case letters or a number sign, and such as have not 3 to 20 characters."),
        Setting(
            "permit_unconventional_http_version", section: "Server Mechanics",
            flags: ["--permit-unconventional-http-version"], kind: .flag(stores: true), default: .bool(false),
            text: "Accept versions other than HTTP/1.0 and HTTP/1.1, and serve them as the nearest of the two."),
        Setting(
            "casefold_http_method", section: "Server Mechanics", flags: ["--casefold-http-method"],
            kind: .flag(stores: true), default: .bool(false),
            text: """
                Turn the letters of a method to upper case. Lower case has to be permitted as well, \
                by --permit-unconventional-http-method.
                """),
    ]
}
