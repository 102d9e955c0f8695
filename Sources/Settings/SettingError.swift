/// A value that a setting cannot take.
public struct SettingError: Error, Equatable, Sendable {
    /// The name of the setting.
    public let setting: String
    /// Where the value was given, in words for the user.
    public let source: String
    /// The value as it was given, or the part of it that is at fault.
    public let value: SettingValue
    /// What would be right, as the end of a sentence.
    public let remedy: String

    init(_ setting: String, _ source: String, _ fault: SettingFault) {
        self.setting = setting
        self.source = source
        value = fault.value
        remedy = fault.remedy
    }
}

extension SettingError: CustomStringConvertible {
    /// One line for the user.
    public var description: String {
        "Invalid value for \(setting) (\(source)): \(value): \(remedy)"
    }
}

/// What is wrong with a value, before it is known which setting has it.
struct SettingFault: Error {
    let value: SettingValue
    let remedy: String

    init(_ value: SettingValue, _ remedy: String) {
        self.value = value
        self.remedy = remedy
    }
}
