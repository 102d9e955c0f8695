/// One setting: declared once, in ``all``, and read from there by the command line, the checks and the documentation.
public struct Setting: Equatable, Sendable {
    /// What values a setting takes.
    public enum Kind: Equatable, Sendable {
        case string
        /// A whole number in the range, whose unit the setting's text names.
        case int(ClosedRange<Int>)
        /// On or off; the flag on the command line takes no value and stores this.
        case flag(stores: Bool)
        /// Texts; each use of the flag on the command line adds one.
        case list
        /// One of these words, in any case.
        case choice([String])
        /// Texts; on the command line and in the environment one text in which commas part them.
        case commaList
        /// Texts by name; on the command line `NAME=VALUE,NAME=VALUE`.
        case mapping
    }

    /// An environment variable that takes the default's place when it is set.
    public struct Environment: Equatable, Sendable {
        public let variable: String
        /// The value to use, in which `{}` stands for what the variable holds.
        public let format: String
        /// A variable that is set but empty is a value too. For others it counts as not set: that is how compose files
        /// and unit files leave a variable out.
        public let mayBeEmpty: Bool

        init(_ variable: String, format: String = "{}", mayBeEmpty: Bool = false) {
            self.variable = variable
            self.format = format
            self.mayBeEmpty = mayBeEmpty
        }
    }

    /// As in a configuration file: `limit_request_line`.
    public let name: String
    /// The heading under which help and documentation list it.
    public let section: String
    /// The command line's options, short before long; none when only a configuration file sets it.
    public let flags: [String]
    public let kind: Kind
    public let initial: SettingValue
    public let environment: Environment?
    /// What the flag means without a value; nil where it needs one.
    public let bare: String?
    /// Other words for a choice's words.
    public let synonyms: [String: String]
    /// What stands for the value in `--help`.
    public let metavar: String?
    /// One or two sentences, with the unit of a number.
    public let text: String

    init(
        _ name: String, section: String, flags: [String] = [], kind: Kind, default initial: SettingValue,
        environment: Environment? = nil, bare: String? = nil, synonyms: [String: String] = [:], metavar: String? = nil,
        text: String
    ) {
        self.name = name
        self.section = section
        self.flags = flags
        self.kind = kind
        self.initial = initial
        self.environment = environment
        self.bare = bare
        self.synonyms = synonyms
        self.metavar = metavar
        self.text = text
    }

    /// Where a user gives the value, for messages: `-w/--workers, or WEB_CONCURRENCY in the environment`.
    public var source: String {
        let options = flags.isEmpty ? "setting" : flags.joined(separator: "/")
        guard let environment else { return options }
        return "\(options), or \(environment.variable) in the environment"
    }
}

extension Setting {
    /// The setting as a row of plain values, keyed as argparse's front door in Python expects them
    /// (`SettingRow` in python/monoceros/_native.pyi).
    public var row: [(key: String, value: SettingValue)] {
        var choices = SettingValue.none
        var minimum = SettingValue.none
        var maximum = SettingValue.none
        let (kindName, action): (String, String)
        switch kind {
        case .string: (kindName, action) = ("str", "store")
        case .int(let range):
            (kindName, action) = ("int", "store")
            minimum = .int(range.lowerBound)
            maximum = .int(range.upperBound)
        case .flag(let stores): (kindName, action) = ("bool", stores ? "store_true" : "store_false")
        case .list: (kindName, action) = ("list", "append")
        case .choice(let words):
            (kindName, action) = ("choice", "store")
            choices = .list(words)
        case .commaList: (kindName, action) = ("commas", "store")
        case .mapping: (kindName, action) = ("mapping", "store")
        }
        return [
            ("name", .string(name)),
            ("section", .string(section)),
            ("flags", .list(flags)),
            ("kind", .string(kindName)),
            ("action", .string(action)),
            ("default", initial),
            ("choices", choices),
            ("minimum", minimum),
            ("maximum", maximum),
            ("bare", bare.map(SettingValue.string) ?? .none),
            ("synonyms", .mapping(synonyms)),
            ("metavar", metavar.map(SettingValue.string) ?? .none),
            ("text", .string(text)),
            ("environment", environment.map { .string($0.variable) } ?? .none),
            ("environment_format", environment.map { .string($0.format) } ?? .none),
            ("environment_may_be_empty", .bool(environment?.mayBeEmpty ?? false)),
        ]
    }
}
