internal import PythonBridge
internal import Settings

/// Settings between Python and Swift.
extension GIL {
    /// The table as a list of dictionaries, one a setting.
    func settingsTable() throws(PythonError) -> PyRef {
        let table = try list()
        // Every row has the same keys in the same order: they are made for the first one, and stay.
        var keys: [PyPointer] = []
        for setting in SettingsTable.settings {
            let row = try dictionary()
            for (index, (key, value)) in setting.row.enumerated() {
                if index == keys.count { keys.append(try interned(key).leak()) }
                try set(row.pointer, keys[index], try object(value))
            }
            try append(table.pointer, row.pointer)
        }
        return table
    }

    /// - Parameter dictionary: for each name a tuple of the value and where it was given; names that are absent have
    ///   their default.
    /// - Throws: `PythonError` (ValueError) with a line for the user.
    func serverConfiguration(_ dictionary: PyPointer) throws(PythonError) -> ServerConfiguration {
        var given: [String: GivenSetting] = [:]
        let items = try items(dictionary: dictionary)
        for index in 0..<count(items) {
            let pair = try item(items, index)
            let entry = try item(pair, 1)
            guard let name = text(try item(pair, 0)), isTuple(entry), count(entry) == 2,
                let source = text(try item(entry, 1))
            else { throw raise(.typeError, "settings must be a dictionary of (value, source) by name") }
            given[name] = GivenSetting(try value(try item(entry, 0)), from: source)
        }
        do throws(SettingError) {
            return try ServerConfiguration(given)
        } catch {
            throw raise(.valueError, error.description)
        }
    }

    /// - Throws: `PythonError` (ValueError) with a line for the user when the setting cannot take the value.
    func check(setting name: PyPointer, _ object: PyPointer, from source: PyPointer) throws(PythonError) {
        guard let name = text(name), let source = text(source) else {
            throw raise(.typeError, "check() takes a name, a value and where that was given")
        }
        let given = GivenSetting(try value(object), from: source)
        do throws(SettingError) {
            try SettingsTable.check(name, given)
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
            for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
                try set(dictionary.pointer, try string(key), try string(value))
            }
            return dictionary
        case .callable, .other: preconditionFailure("no default is an object of Python's")
        }
    }

    /// What an object of Python's is to a setting. A function comes as a tuple: how many arguments it takes, and what
    /// to call it. What no setting takes is told in Python's own words.
    private func value(_ object: PyPointer) throws(PythonError) -> SettingValue {
        if object == none() { return .none }
        if object == bool(true) { return .bool(true) }
        if object == bool(false) { return .bool(false) }
        if let text = text(object) { return .string(text) }
        if isDictionary(object), let entries = try mapping(object) { return .mapping(entries) }
        if isList(object), let items = try texts(object) { return .list(items) }
        if isTuple(object), count(object) == 2, let name = text(try item(object, 1)) {
            return .callable(parameters: try int(try item(object, 0)), name: name)
        }
        if let number = integerValue(object) { return .int(number) }
        return .other(text(try representation(object)) ?? "?")
    }

    /// Nil when an item is no text.
    private func texts(_ list: PyPointer) throws(PythonError) -> [String]? {
        var items: [String] = []
        for index in 0..<count(list) {
            guard let text = text(try item(list, index)) else { return nil }
            items.append(text)
        }
        return items
    }

    /// Nil when a name or a value is no text.
    private func mapping(_ dictionary: PyPointer) throws(PythonError) -> [String: String]? {
        var entries: [String: String] = [:]
        let items = try items(dictionary: dictionary)
        for index in 0..<count(items) {
            let pair = try item(items, index)
            guard let key = text(try item(pair, 0)), let value = text(try item(pair, 1)) else { return nil }
            entries[key] = value
        }
        return entries
    }
}
