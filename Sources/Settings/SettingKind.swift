/// What values a setting takes.
public enum SettingKind: Equatable, Sendable {
    case string
    /// A whole number in the range, whose unit the setting's text names.
    case int(ClosedRange<Int>)
    /// Permission bits in the range; on the command line a leading zero makes the number octal, as in `022`.
    case mode(ClosedRange<Int>)
    /// On or off; the flag on the command line takes no value and stores this.
    case flag(stores: Bool)
    /// Texts; each use of the flag on the command line adds one.
    case list
    /// Paths of files, or patterns; given as a ``list``.
    case files
    /// One of these words, in any case.
    case choice([String])
    /// Texts; on the command line and in the environment one text, separated by commas.
    case commaList
    /// Texts by name; on the command line `NAME=VALUE,NAME=VALUE`.
    case mapping
    /// A dictionary that only Python looks into.
    case dictionary
    /// A function, or where to import it from, that takes so many positional arguments.
    case callable(parameters: ClosedRange<Int>)
    /// A class, or its name.
    case type
    /// The name or number of a user of the system; crosses as the number.
    case user
    /// The name or number of a group of the system; crosses as the number.
    case group
    /// An existing directory, which may have to be writable.
    case directory(isWritable: Bool)
    /// `HOST:PORT` or `unix://PATH` of a datagram socket.
    case address
    /// Anything at all.
    case anything
}

extension SettingKind {
    /// Whether `none` says that nothing was said. As in gunicorn, it is a mistake for a number.
    var takesNone: Bool {
        switch self {
        case .int, .mode, .mapping, .dictionary, .callable: false
        default: true
        }
    }

    /// Whether the value is of this kind and in its range.
    ///
    /// - Throws: `SettingFault` when it is not.
    func check(_ value: SettingValue) throws(SettingFault) {
        if value == .none, takesNone { return }
        if holds(value) { return }
        throw SettingFault(value, remedy)
    }

    private func holds(_ value: SettingValue) -> Bool {
        switch (self, value) {
        case (.anything, _), (.string, .string), (.flag, .bool), (.list, .list), (.files, .list), (.commaList, .list),
            (.mapping, .mapping), (.dictionary, .mapping), (.type, .string), (.user, .int), (.group, .int),
            (.directory, .string), (.address, .string):
            true
        case (.int(let range), .int(let number)), (.mode(let range), .int(let number)): range ~= number
        case (.choice(let words), .string(let word)): words.contains(word)
        case (.callable(let parameters), .callable(let count, _)): parameters ~= count
        default: false
        }
    }

    /// What would be right, as the end of a sentence.
    private var remedy: String {
        switch self {
        case .string: "it must be text"
        case .int(let range): "it must be a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .mode(let range):
            "it must be a whole number from 0 to 0o\(String(range.upperBound, radix: 8)), such as 0o22"
        case .flag: "it must be true or false"
        case .list, .commaList: "it must be a text or a list of texts"
        case .files: "it must be the path of a file or a list of paths"
        case .choice(let words): "choose from \(words.joined(separator: ", "))"
        case .mapping: "it must be a dictionary of texts"
        case .dictionary: "it must be a dictionary"
        case .callable(let parameters):
            "it must be a function of \(Self.count(parameters)), or the text module.function that names one"
        case .type: "it must be a class, or the text module.Class that names one"
        case .user: "it must be the name or the number of a user"
        case .group: "it must be the name or the number of a group"
        case .directory: "it must be the path of a directory"
        case .address: "it must be HOST:PORT or unix://PATH"
        case .anything: "it may be anything"
        }
    }

    private static func count(_ parameters: ClosedRange<Int>) -> String {
        let last = parameters.upperBound
        let noun = last == 1 ? "argument" : "arguments"
        return parameters.count == 1 ? "\(last) \(noun)" : "\(parameters.lowerBound) to \(last) \(noun)"
    }
}
