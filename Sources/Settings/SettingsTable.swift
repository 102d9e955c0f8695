/// Checks values against the table: the one place where a setting's kind, range, words and default hold.
public enum SettingsTable {
    /// A setting with its own rule beside that of its kind.
    struct Entry: Sendable {
        let setting: Setting
        /// What the setting's key makes of a value; nil where Swift does not read it.
        let rule: (@Sendable (SettingValue) throws(SettingFault) -> Void)?

        /// Whether Swift reads it.
        var isRead: Bool { rule != nil }

        /// A setting that Swift does not read.
        init(_ setting: Setting) {
            self.setting = setting
            rule = nil
        }

        init(_ setting: Setting, rule: @escaping @Sendable (SettingValue) throws(SettingFault) -> Void) {
            self.setting = setting
            self.rule = rule
        }

        func check(_ value: SettingValue) throws(SettingFault) {
            try setting.kind.check(value)
            if value != .none { try rule?(value) }
        }
    }

    private static let byName = Dictionary(uniqueKeysWithValues: entries.map { ($0.setting.name, $0) })

    /// Every setting, in the order of the documentation.
    public static let settings: [Setting] = entries.map(\.setting)

    /// The setting of that name.
    public static func named(_ name: String) -> Setting? {
        byName[name]?.setting
    }

    /// - Throws: `SettingError` for a value that the setting cannot take, or a name that no setting has.
    public static func check(_ name: String, _ given: GivenSetting) throws(SettingError) {
        guard let entry = byName[name] else {
            throw SettingError(name, given.source, SettingFault(given.value, "there is no such setting"))
        }
        do throws(SettingFault) {
            try entry.check(given.value)
        } catch {
            throw SettingError(name, given.source, error)
        }
    }
}

/// Values that have been checked, each setting's own or its default.
struct CheckedSettings {
    private var values: [String: GivenSetting] = [:]

    /// - Throws: `SettingError` for the first value in the table's order that cannot be used: one that its setting cannot
    ///   take, or one that asks for a feature that is not there.
    init(_ given: [String: GivenSetting]) throws(SettingError) {
        for (name, value) in given.sorted(by: { $0.key < $1.key }) where SettingsTable.named(name) == nil {
            try SettingsTable.check(name, value)
        }
        for setting in SettingsTable.settings {
            let initial = GivenSetting(setting.initial, from: "default")
            guard let value = given[setting.name], value.value != .none else {
                values[setting.name] = initial
                continue
            }
            try SettingsTable.check(setting.name, value)
            if case .missing(let sentence) = setting.consumer, !setting.isInitial(value.value) {
                throw SettingError(setting.name, value.source, SettingFault(value.value, sentence))
            }
            values[setting.name] = value
        }
    }

    /// - Throws: `SettingError` from the setting's own rule.
    subscript<Value>(key: SettingKey<Value>) -> Value {
        get throws(SettingError) {
            guard let given = values[key.setting.name] else {
                preconditionFailure("the table lacks \(key.setting.name)")
            }
            do throws(SettingFault) {
                return try key.read(given.value)
            } catch {
                throw SettingError(key.setting.name, given.source, error)
            }
        }
    }
}

extension Setting {
    /// Whether the value says no more than the default.
    func isInitial(_ value: SettingValue) -> Bool {
        switch value {
        case initial, .none, .list([]), .mapping([:]), .string(""): true
        case .bool(let isOn): !isOn && initial == .none
        default: false
        }
    }
}
