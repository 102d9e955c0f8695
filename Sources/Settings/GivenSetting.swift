/// A value together with where it was given.
public struct GivenSetting: Equatable, Sendable {
    public let value: SettingValue
    /// In words for the user: `-w/--workers`, `WEB_CONCURRENCY in the environment`, `gunicorn.conf.py:3`.
    public let source: String

    public init(_ value: SettingValue, from source: String) {
        self.value = value
        self.source = source
    }
}
