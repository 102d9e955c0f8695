/// A setting that differs from its default, as the status shows it.
///
/// What may hold a secret is named without its value: environment variables, configurations of the log (which may hold
/// passwords of mail servers), and values for other programs.
public struct ShownSetting: Equatable, Sendable {
    public let name: String
    /// In Python's words.
    public let value: String

    /// Settings whose values stay unseen.
    private static let secret: Set<String> = [
        "raw_env", "logconfig_dict", "raw_paste_global_conf", "keyfile", "secure_scheme_headers", "statsd_host",
        "syslog_addr", "dogstatsd_tags",
    ]

    /// Settings that name an application.
    private static let applications: Set<String> = ["wsgi_app", "default_proc_name"]

    /// What of the values given says more than the defaults, in the order of the table.
    static func all(of given: [String: GivenSetting]) -> [ShownSetting] {
        SettingsTable.settings.compactMap { setting in
            guard let value = given[setting.name]?.value, !setting.isInitial(value) else { return nil }
            return ShownSetting(name: setting.name, value: shown(value, of: setting.name))
        }
    }

    private static func shown(_ value: SettingValue, of name: String) -> String {
        if secret.contains(name) { return hidden(value) }
        // `module:make("key")`: what an application's factory is called with.
        guard applications.contains(name), case .string(let text) = value, let start = text.firstIndex(of: "(") else {
            return value.description
        }
        return SettingValue.string("\(text[..<start])(hidden)").description
    }

    /// What can be said of a value that is not shown.
    private static func hidden(_ value: SettingValue) -> String {
        guard case .list(let items) = value else { return "(set)" }
        // Of NAME=VALUE, the name.
        let names = items.map { item in
            item.firstIndex(of: "=").map { "\(item[..<$0])=(hidden)" } ?? "(hidden)"
        }
        return SettingValue.list(names).description
    }
}
