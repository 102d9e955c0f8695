/// A value that a setting cannot take.
public struct SettingError: Error, Equatable, Sendable {
    /// The name of the setting.
    public let setting: String
    /// Where a user gives the value: flags and environment variable.
    public let source: String
    /// The value as it was given.
    public let value: SettingValue
    /// What would be right, as the end of a sentence.
    public let remedy: String
}

extension SettingError: CustomStringConvertible {
    /// One line for the user, worded as `SettingError` in python/monoceros/config.py.
    public var description: String {
        "Invalid value for \(setting) (\(source)): \(value): \(remedy)"
    }
}
