extension Setting {
    /// The setting as a row of plain values (`SettingRow` in python/monoceros/settings.py has the same fields).
    public var row: [(key: String, value: SettingValue)] {
        var choices = SettingValue.none
        if case .choice(let words) = kind { choices = .list(words) }
        let range = kind.range
        let (reader, note) = consumer.words
        return [
            ("name", .string(name)),
            ("section", .string(section.rawValue)),
            ("flags", .list(flags)),
            ("kind", .string(kind.word)),
            ("action", .string(kind.action)),
            ("default", initial),
            ("choices", choices),
            ("minimum", range.map { .int($0.lowerBound) } ?? .none),
            ("maximum", range.map { .int($0.upperBound) } ?? .none),
            ("bare", bare.map(SettingValue.string) ?? .none),
            ("synonyms", .mapping(synonyms)),
            ("metavar", metavar.map(SettingValue.string) ?? .none),
            ("text", .string(text)),
            ("consumer", .string(reader)),
            ("note", note.map(SettingValue.string) ?? .none),
            ("origin", .string(origin.rawValue)),
            ("environment", environment.map { .string($0.variable) } ?? .none),
            ("environment_format", environment.map { .string($0.format) } ?? .none),
            ("environment_may_be_empty", .bool(environment?.mayBeEmpty ?? false)),
        ]
    }
}

extension SettingKind {
    /// What Python calls it: the name of a function there that reads values of this kind.
    fileprivate var word: String {
        switch self {
        case .string: "str"
        case .int: "int"
        case .mode: "mode"
        case .flag: "bool"
        case .list: "list"
        case .files: "files"
        case .choice: "choice"
        case .commaList: "commas"
        case .mapping: "mapping"
        case .dictionary: "dict"
        case .callable: "callable"
        case .type: "class"
        case .user: "user"
        case .group: "group"
        case .directory(let isWritable): isWritable ? "writable_directory" : "directory"
        case .address: "address"
        case .anything: "any"
        }
    }

    /// argparse's word for what the flag does.
    fileprivate var action: String {
        switch self {
        case .flag(let stores): stores ? "store_true" : "store_false"
        case .list, .files: "append"
        default: "store"
        }
    }

    /// Of the number, or of the number of parameters.
    fileprivate var range: ClosedRange<Int>? {
        switch self {
        case .int(let range), .mode(let range), .callable(let range): range
        default: nil
        }
    }
}

extension Setting.Consumer {
    fileprivate var words: (reader: String, note: String?) {
        switch self {
        case .python: ("python", nil)
        case .arbiter: ("arbiter", nil)
        case .worker: ("worker", nil)
        case .nobody(let reason): ("nobody", reason)
        case .missing(let sentence): ("missing", sentence)
        }
    }
}
