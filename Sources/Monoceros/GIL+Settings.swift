internal import PythonBridge
internal import Settings

/// Settings between Python and Swift.
extension GIL {
    /// The table as a list of dictionaries, one a setting.
    func settingsTable() throws(PythonError) -> PyRef {
        let table = try list()
        for setting in Setting.all {
            let row = try dictionary()
            for (key, value) in setting.row {
                try set(row.pointer, try interned(key), try object(value))
            }
            try append(table.pointer, row.pointer)
        }
        return table
    }

    /// - Throws: `PythonError` (ValueError) with a line for the user.
    func serverConfiguration(_ dictionary: PyPointer) throws(PythonError) -> ServerConfiguration {
        var values: [String: SettingValue] = [:]
        for setting in Setting.all {
            guard let object = try get(dictionary, try interned(setting.name)) else { continue }
            values[setting.name] = try value(object, of: setting.name)
        }
        do throws(SettingError) {
            return try ServerConfiguration(values)
        } catch {
            throw raise(.valueError, error.description)
        }
    }

    private func object(_ value: SettingValue) throws(PythonError) -> PyRef {
        switch value {
        case .none: return PyRef(retaining: none())
        case .int(let number): return try integer(number)
        case .bool(let flag): return PyRef(retaining: bool(flag))
        case .string(let text): return try string(text)
        case .list(let items):
            let list = try list()
            for item in items { try append(list.pointer, try string(item)) }
            return list
        case .mapping(let entries):
            let dictionary = try dictionary()
            for (key, value) in entries { try set(dictionary.pointer, try string(key), try string(value)) }
            return dictionary
        }
    }

    private func value(_ object: PyPointer, of name: String) throws(PythonError) -> SettingValue {
        if object == none() { return .none }
        if object == bool(true) { return .bool(true) }
        if object == bool(false) { return .bool(false) }
        if let text = text(object) { return .string(text) }
        if isDictionary(object) { return .mapping(try mapping(object, of: name)) }
        guard isList(object) else { return .int(try int(object)) }
        var items: [String] = []
        for index in 0..<count(object) {
            guard let text = text(try item(object, index)) else {
                throw raise(.valueError, "Invalid value for \(name): its items must be text")
            }
            items.append(text)
        }
        return .list(items)
    }

    private func mapping(_ object: PyPointer, of name: String) throws(PythonError) -> [String: String] {
        var entries: [String: String] = [:]
        let items = try items(dictionary: object)
        for index in 0..<count(items) {
            let pair = try item(items, index)
            guard let key = text(try item(pair, 0)), let value = text(try item(pair, 1)) else {
                throw raise(.valueError, "Invalid value for \(name): its names and values must be text")
            }
            entries[key] = value
        }
        return entries
    }
}
