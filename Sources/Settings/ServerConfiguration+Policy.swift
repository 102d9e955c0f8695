internal import HTTPWire
internal import ProxyWire

/// The settings of request policy in the types of the parsers.
extension ServerConfiguration {
    static func requestPolicy(_ checked: [String: SettingValue]) throws(SettingError) -> RequestPolicy {
        func int(_ name: String) -> Int { if case .int(let number)? = checked[name] { number } else { 0 } }
        func isOn(_ name: String) -> Bool { checked[name] == .bool(true) }

        var policy = RequestPolicy()
        policy.limitRequestLine = int("limit_request_line")
        policy.limitRequestFields = int("limit_request_fields")
        policy.limitRequestFieldSize = int("limit_request_field_size")
        policy.limitRequestBody = int("limit_request_body")
        policy.permitMissingHost = isOn("permit_missing_host")
        policy.permitObsoleteFolding = isOn("permit_obsolete_folding")
        policy.stripHeaderSpaces = isOn("strip_header_spaces")
        policy.permitUnconventionalMethod = isOn("permit_unconventional_http_method")
        policy.permitUnconventionalVersion = isOn("permit_unconventional_http_version")
        policy.casefoldMethod = isOn("casefold_http_method")
        if case .string(let word)? = checked["header_map"], let map = FieldNameMap(rawValue: word) {
            policy.headerMap = map
        }
        if case .list(let names)? = checked["forwarder_headers"] {
            policy.forwarderHeaders = try forwarderHeaders(names)
        }
        if case .mapping(let headers)? = checked["secure_scheme_headers"] {
            policy.secureSchemeHeaders = try secureSchemeHeaders(headers)
        }
        return policy
    }

    private static func forwarderHeaders(_ names: [String]) throws(SettingError) -> ForwarderHeaders {
        if names.contains("*") { return .all }
        for name in names where !isFieldName(name) {
            throw refusal("forwarder_headers", .string(name), "give names of header fields, such as SCRIPT_NAME, or *")
        }
        return .named(names)
    }

    private static func secureSchemeHeaders(
        _ headers: [String: String]
    ) throws(SettingError) -> [SecureSchemeHeader] {
        var result: [SecureSchemeHeader] = []
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
            guard isFieldName(name), !value.isEmpty else {
                throw refusal(
                    "secure_scheme_headers", .mapping([name: value]),
                    "give names of header fields and the value of each that means https, such as X-FORWARDED-PROTO=https"
                )
            }
            result.append(SecureSchemeHeader(name: name, secureValue: value))
        }
        return result
    }

    private static func isFieldName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        return !bytes.isEmpty && FieldSyntax.isToken(bytes.span.bytes)
    }

    static func addressList(_ name: String, _ entries: [String]) throws(SettingError) -> AddressList {
        var list = AddressList()
        for entry in entries {
            do throws(AddressList.ParseError) {
                try list.add(entry)
            } catch {
                throw refusal(name, .string(entry), error.remedy)
            }
        }
        return list
    }

    /// Without the slash at the end: PATH_INFO starts with it.
    static func mountPoint(_ path: String) throws(SettingError) -> String {
        if path.isEmpty { return path }
        guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.dropFirst().starts(with: "/".utf8),
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"?#".utf8.contains($0) })
        else {
            throw refusal(
                "root_path", .string(path), "give a path as it stands in a URL, percent-encoded, such as /app")
        }
        var path = path
        while path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        return path
    }
}
