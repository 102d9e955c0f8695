/// The value of a setting, as it crosses between Python and Swift.
public enum SettingValue: Equatable, Sendable {
    /// Python's `None`: nothing was said.
    case none
    case int(Int)
    case bool(Bool)
    case string(String)
    case list([String])
    case mapping([String: String])
    /// A function that Python keeps, by its name and how many positional arguments it takes.
    case callable(parameters: Int, name: String)
    /// An object of a type that no setting takes, in Python's own words.
    case other(String)
}

extension SettingValue: CustomStringConvertible {
    /// As Python writes it, since that is the language in which users write their settings.
    public var description: String {
        switch self {
        case .none: "None"
        case .int(let number): String(number)
        case .bool(let flag): flag ? "True" : "False"
        case .string(let text): Self.quoted(text)
        case .list(let items): "[\(items.map(Self.quoted).joined(separator: ", "))]"
        case .mapping(let entries):
            "{\(entries.sorted { $0.key < $1.key }.map { "\(Self.quoted($0)): \(Self.quoted($1))" }.joined(separator: ", "))}"
        case .callable(_, let name): name
        case .other(let text): text
        }
    }

    /// Control characters are escaped, so that an error stays on its line.
    private static func quoted(_ text: String) -> String {
        var result = "'"
        for scalar in text.unicodeScalars {
            switch scalar {
            case "'", "\\":
                result += "\\"
                result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let hex = String(scalar.value, radix: 16)
                result += hex.count == 1 ? "\\x0\(hex)" : "\\x\(hex)"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result + "'"
    }
}
