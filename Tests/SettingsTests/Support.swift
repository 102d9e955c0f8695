@testable import Settings

/// A configuration of values whose source does not matter.
func configuration(_ values: [String: SettingValue]) throws(SettingError) -> ServerConfiguration {
    try ServerConfiguration(values.mapValues { GivenSetting($0, from: "a test") })
}

/// Why a setting does not take a value; nil where it does.
func complaint(_ name: String, _ value: SettingValue) -> SettingError? {
    do throws(SettingError) {
        try SettingsTable.check(name, GivenSetting(value, from: "a test"))
        return nil
    } catch {
        return error
    }
}
