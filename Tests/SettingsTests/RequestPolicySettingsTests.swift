import HTTPWire
import ProxyWire
import Testing

@testable import Settings

@Suite struct RequestPolicySettingsTests {
    /// Tests of the parser run with the policy of Tests/Support, which must not drift away from the table.
    @Test func thePolicyOfTheTestsIsTheTables() throws {
        var policy = try configuration([:]).policy
        let byName = { (left: SecureSchemeHeader, right: SecureSchemeHeader) in left.name < right.name }
        policy.secureSchemeHeaders.sort(by: byName)
        var tests = RequestPolicy()
        tests.secureSchemeHeaders.sort(by: byName)
        #expect(policy == tests)
    }

    @Test func eachSwitchTurnsItsOwn() throws {
        let switches: [(name: String, path: KeyPath<RequestPolicy, Bool>)] = [
            ("permit_missing_host", \.permitMissingHost),
            ("permit_obsolete_folding", \.permitObsoleteFolding),
            ("strip_header_spaces", \.stripHeaderSpaces),
            ("permit_unconventional_http_method", \.permitUnconventionalMethod),
            ("permit_unconventional_http_version", \.permitUnconventionalVersion),
            ("casefold_http_method", \.casefoldMethod),
        ]
        for (name, path) in switches {
            let policy = try configuration([name: .bool(true)]).policy
            #expect(switches.map(\.path).filter { policy[keyPath: $0] } == [path])
        }
    }

    @Test(arguments: [("drop", FieldNameMap.drop), ("refuse", .refuse), ("dangerous", .dangerous)])
    func headerMap(word: String, map: FieldNameMap) throws {
        #expect(try configuration(["header_map": .string(word)]).policy.headerMap == map)
    }

    @Test func theWordsOfTheTableAreTheTypes() throws {
        #expect(try #require(SettingsTable.named("header_map")).kind == .choice(FieldNameMap.allCases.map(\.rawValue)))
        #expect(
            try #require(SettingsTable.named("proxy_protocol")).kind
                == .choice(["off"] + ProxyMode.allCases.map(\.rawValue)))
    }

    @Test func forwarderHeaders() throws {
        func headers(_ names: [String]) throws -> ForwarderHeaders {
            try configuration(["forwarder_headers": .list(names)]).policy.forwarderHeaders
        }
        #expect(try headers(["REMOTE_USER", "SCRIPT_NAME"]) == .named(["REMOTE_USER", "SCRIPT_NAME"]))
        #expect(try headers([]) == .named([]))
        #expect(try headers(["A", "*"]) == .all)
    }

    @Test func secureSchemeHeaders() throws {
        func headers(_ entries: [String: String]) throws -> [SecureSchemeHeader] {
            try configuration(["secure_scheme_headers": .mapping(entries)]).policy.secureSchemeHeaders
        }
        #expect(try headers([:]) == [])
        #expect(
            try headers(["Front-End-Https": "on", "A": "b"]) == [
                SecureSchemeHeader(name: "A", secureValue: "b"),
                SecureSchemeHeader(name: "Front-End-Https", secureValue: "on"),
            ])
    }

    @Test(arguments: [("off", nil), ("v1", ProxyMode.v1), ("v2", .v2), ("auto", .auto)])
    func proxyProtocol(word: String, mode: ProxyMode?) throws {
        #expect(try configuration(["proxy_protocol": .string(word)]).proxyProtocol == mode)
    }

    @Test func addressLists() throws {
        let home = IPAddress.v4(0x7F00_0001)
        let other = IPAddress.v4(0x0A01_0203)
        let defaults = try configuration([:])
        #expect(defaults.forwardedAllowIPs.contains(home) && defaults.proxyAllowIPs.contains(home))
        #expect(defaults.forwardedAllowIPs.contains(.v6(1)) && defaults.proxyAllowIPs.contains(.v6(1)))
        #expect(!defaults.forwardedAllowIPs.contains(other) && !defaults.proxyAllowIPs.contains(other))
        let apart = try configuration(["forwarded_allow_ips": .list(["10.0.0.0/8"]), "proxy_allow_ips": .list([])])
        #expect(apart.forwardedAllowIPs.contains(other) && !apart.forwardedAllowIPs.contains(home))
        #expect(!apart.proxyAllowIPs.contains(other) && !apart.proxyAllowIPs.contains(home))
    }

    @Test(arguments: [
        ("", ""), ("/", ""), ("/app", "/app"), ("/app/", "/app"), ("/a/b//", "/a/b"), ("/%C3%A4", "/%C3%A4"),
    ])
    func rootPath(setting: String, path: String) throws {
        #expect(try configuration(["root_path": .string(setting)]).rootPath == path)
    }

    @Test(arguments: [
        ("root_path", SettingValue.string("app"), "'app': give a path"),
        ("root_path", .string("//app"), "percent-encoded"),
        ("root_path", .string("/a b"), "percent-encoded"),
        ("root_path", .string("/a?b"), "percent-encoded"),
        ("root_path", .string("/ä"), "percent-encoded"),
        ("forwarded_allow_ips", .list(["::1", "10.0.0.1/8"]), "'10.0.0.1/8': the address is not the first"),
        ("forwarded_allow_ips", .list(["localhost"]), "'localhost': give IP addresses"),
        ("proxy_allow_ips", .list(["10.0.0.0/33"]), "'10.0.0.0/33': behind the slash"),
        ("proxy_allow_ips", .string("127.0.0.1"), "a list of texts"),
        ("forwarder_headers", .list(["A B"]), "'A B': give names of header fields"),
        ("secure_scheme_headers", .mapping(["X:": "on"]), "{'X:': 'on'}: give names"),
        ("secure_scheme_headers", .mapping(["X-A": ""]), "{'X-A': ''}: give names"),
        ("secure_scheme_headers", .list([]), "a dictionary of texts"),
        ("header_map", .string("keep"), "choose from drop, refuse, dangerous"),
        ("proxy_protocol", .string("v3"), "choose from off, v1, v2, auto"),
        ("permit_missing_host", .int(1), "true or false"),
    ])
    func refusesWhatItCannotUse(name: String, value: SettingValue, mention: String) {
        let error = #expect(throws: SettingError.self) { try configuration([name: value]) }
        #expect(error?.setting == name)
        #expect(error?.description.contains(mention) == true, "\(error?.description ?? "accepted")")
    }
}
