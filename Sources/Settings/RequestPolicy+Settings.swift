internal import HTTPWire
internal import ProxyWire

/// The settings of request policy in the types of the parsers.
extension RequestPolicy {
    init(_ checked: CheckedSettings) throws(SettingError) {
        self.init(
            limitRequestLine: try checked[.limitRequestLine],
            limitRequestFields: try checked[.limitRequestFields],
            limitRequestFieldSize: try checked[.limitRequestFieldSize],
            limitRequestBody: try checked[.limitRequestBody],
            permitMissingHost: try checked[.permitMissingHost],
            permitObsoleteFolding: try checked[.permitObsoleteFolding],
            stripHeaderSpaces: try checked[.stripHeaderSpaces],
            permitUnconventionalMethod: try checked[.permitUnconventionalMethod],
            permitUnconventionalVersion: try checked[.permitUnconventionalVersion],
            casefoldMethod: try checked[.casefoldMethod],
            headerMap: try checked[.headerMap],
            forwarderHeaders: try checked[.forwarderHeaders],
            secureSchemeHeaders: try checked[.secureSchemeHeaders])
    }

    static func forwarderHeaders(_ value: SettingValue) throws(SettingFault) -> ForwarderHeaders {
        let names = try value.texts
        if names.contains("*") { return .all }
        for name in names where !isFieldName(name) {
            throw SettingFault(.string(name), "give names of header fields, such as SCRIPT_NAME, or *")
        }
        return .named(names)
    }

    static func secureSchemeHeaders(_ value: SettingValue) throws(SettingFault) -> [SecureSchemeHeader] {
        guard case .mapping(let headers) = value else { throw SettingFault(value, "it must be a dictionary of texts") }
        var result: [SecureSchemeHeader] = []
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
            guard isFieldName(name), !value.isEmpty else {
                throw SettingFault(
                    .mapping([name: value]),
                    """
                    give names of header fields and the value of each that means https, such as \
                    X-FORWARDED-PROTO=https
                    """)
            }
            result.append(SecureSchemeHeader(name: name, secureValue: value))
        }
        return result
    }

    private static func isFieldName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        return !bytes.isEmpty && FieldSyntax.isToken(bytes.span.bytes)
    }

    static func addresses(_ value: SettingValue) throws(SettingFault) -> AddressList {
        var list = AddressList()
        for entry in try value.texts {
            do throws(AddressList.ParseError) {
                try list.add(entry)
            } catch {
                throw SettingFault(.string(entry), error.remedy)
            }
        }
        return list
    }
}

/// Where the application is mounted: empty, or a path that starts with a slash and does not end with one.
struct MountPoint: Sendable {
    let path: String

    init(_ value: SettingValue) throws(SettingFault) {
        guard case .string(var path) = value else { throw SettingFault(value, "it must be text") }
        guard path.isEmpty || Self.isPath(path) else {
            throw SettingFault(value, "give a path as it stands in a URL, percent-encoded, such as /app")
        }
        // Without the slash at the end: PATH_INFO starts with it.
        while path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        self.path = path
    }

    private static func isPath(_ path: String) -> Bool {
        path.utf8.first == UInt8(ascii: "/") && !path.utf8.dropFirst().starts(with: "/".utf8)
            && path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"?#".utf8.contains($0) }
    }
}
