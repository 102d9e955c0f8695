extension Setting {
    /// Returns the value when it is of the setting's kind and in its range.
    ///
    /// Python has turned text into numbers and flags by then (python/monoceros/config.py); this is where a mistake
    /// there would come to light, instead of deep inside the server.
    public func check(_ value: SettingValue) throws(SettingError) -> SettingValue {
        let remedy: String
        switch (kind, value) {
        case (.string, .string), (.flag, .bool), (.list, .list), (.commaList, .list), (.mapping, .mapping):
            return value
        case (.int(let range), .int(let number)) where range ~= number:
            return value
        case (.choice(let words), .string(let word)) where words.contains(word):
            return value
        case (.string, _): remedy = "it must be text"
        case (.flag, _): remedy = "it must be true or false"
        case (.list, _), (.commaList, _): remedy = "it must be a list of texts"
        case (.mapping, _): remedy = "it must be a dictionary of texts"
        case (.int(let range), _):
            remedy = "it must be a whole number from \(range.lowerBound) to \(range.upperBound)"
        case (.choice(let words), _): remedy = "choose from \(words.joined(separator: ", "))"
        }
        throw SettingError(setting: name, source: source, value: value, remedy: remedy)
    }
}
