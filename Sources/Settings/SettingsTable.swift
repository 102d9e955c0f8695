/// Checks values against the table: the one place where a setting's kind, range, words and default hold.
public enum SettingsTable {
    /// What a setting demands of a value beside its kind.
    typealias Rule = @Sendable (SettingValue) throws(SettingFault) -> Void

    /// A row of the table.
    struct Entry: Sendable {
        let setting: Setting
        /// Whether Swift reads it, by a key.
        let isRead: Bool
        let rule: Rule?

        init(_ setting: Setting, isRead: Bool = false, rule: Rule? = nil) {
            self.setting = setting
            self.isRead = isRead
            self.rule = rule
        }

        func check(_ value: SettingValue) throws(SettingFault) {
            // A number whose default is that nothing is said: that can be said too.
            if value == .none, setting.initial == .none, case .int = setting.kind { return }
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

    /// - Throws: `SettingError` for the first value in the table's order that cannot be used: one that its setting
    ///   cannot take, or one that asks for a feature that is not there.
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
