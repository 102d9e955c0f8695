/// A setting that Swift reads, by the type that it is read as: what is not declared, or read as something else, does
/// not compile.
public struct SettingKey<Value: Sendable>: Sendable {
    public let setting: Setting
    /// The checked value in the type of whoever reads it.
    let read: @Sendable (SettingValue) throws(SettingFault) -> Value

    init(_ setting: Setting, read: @escaping @Sendable (SettingValue) throws(SettingFault) -> Value) {
        self.setting = setting
        self.read = read
    }

    /// The row of the table.
    var entry: SettingsTable.Entry {
        SettingsTable.Entry(setting, isRead: true) { [read] value throws(SettingFault) in _ = try read(value) }
    }
}

extension SettingKey<Int> {
    init(_ setting: Setting) {
        self.init(setting) { value throws(SettingFault) in
            guard case .int(let number) = value else { throw SettingFault(value, "it must be a whole number") }
            return number
        }
    }
}

extension SettingKey<Int?> {
    /// - Parameter nothing: the number that stands for none, such as a limit of 0.
    init(_ setting: Setting, nothing: Int) {
        self.init(setting) { value throws(SettingFault) in
            guard case .int(let number) = value else { throw SettingFault(value, "it must be a whole number") }
            return number == nothing ? nil : number
        }
    }

    /// Of a setting whose default is none.
    init(_ setting: Setting) {
        self.init(setting) { value throws(SettingFault) in
            if value == .none { return nil }
            guard case .int(let number) = value else { throw SettingFault(value, "it must be a whole number") }
            return number
        }
    }
}

extension SettingKey<Bool> {
    init(_ setting: Setting) {
        self.init(setting) { value throws(SettingFault) in
            guard case .bool(let isOn) = value else { throw SettingFault(value, "it must be true or false") }
            return isOn
        }
    }
}

extension SettingKey<String> {
    init(_ setting: Setting) {
        self.init(setting) { value throws(SettingFault) in
            guard case .string(let text) = value else { throw SettingFault(value, "it must be text") }
            return text
        }
    }
}

extension SettingKey<String?> {
    init(_ setting: Setting) {
        self.init(setting) { value throws(SettingFault) in
            if value == .none { return nil }
            guard case .string(let text) = value else { throw SettingFault(value, "it must be text") }
            return text
        }
    }
}

extension SettingKey<[String]> {
    init(_ setting: Setting) {
        self.init(setting) { value throws(SettingFault) in try value.texts }
    }
}

extension SettingValue {
    /// The items of a list.
    var texts: [String] {
        get throws(SettingFault) {
            guard case .list(let items) = self else { throw SettingFault(self, "it must be a list of texts") }
            return items
        }
    }
}
