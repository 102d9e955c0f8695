import Testing

@testable import Settings

struct AdminSettingsTests {
    private func configuration(_ values: [String: SettingValue]) throws -> ServerConfiguration {
        try ServerConfiguration(values.mapValues { GivenSetting($0, from: "a test") })
    }

    @Test func nothingIsAnsweredUnlessAskedFor() throws {
        let configuration = try configuration([:])
        #expect(configuration.adminBind == nil)
        #expect(configuration.healthPath == nil)
        #expect(configuration.slowRequestLog == nil)
        #expect(configuration.readyWindow == 10)
        #expect(configuration.shown.isEmpty)
    }

    @Test(arguments: [
        "unix:/run/a.sock", "unix:@name", "127.0.0.1:9000", "127.1.2.3:9000", "localhost:9000", "[::1]:9000",
    ])
    func addressesOfThisMachineNeedNoList(address: String) throws {
        #expect(try configuration(["admin_bind": .string(address)]).adminBind == BindAddress(parsing: address))
    }

    @Test(arguments: [":9000", "0.0.0.0:9000", "[::]:9000", "10.0.0.1:9000", "example.com:9000", "[::ffff:10.0.0.1]:1"])
    func otherAddressesNeedOne(address: String) throws {
        let error = #expect(throws: SettingError.self) { try configuration(["admin_bind": .string(address)]) }
        #expect(error?.setting == "admin_bind")
        let open = try configuration(["admin_bind": .string(address), "admin_allow_ips": .list(["10.0.0.0/8"])])
        #expect(open.adminBind != nil)
    }

    @Test(arguments: ["fd://3", "http://x", "unix:"])
    func whatIsNoAddressIsRefused(address: String) {
        #expect(throws: SettingError.self) { try configuration(["admin_bind": .string(address)]) }
    }

    @Test func aHealthPathIsAPath() throws {
        #expect(try configuration(["health_path": .string("/-/health/")]).healthPath == "/-/health")
        #expect(try configuration(["health_path": .string("")]).healthPath == nil)
        for wrong in ["health", "/a b", "/a?b", "//a", "/"] {
            #expect(throws: SettingError.self) { try configuration(["health_path": .string(wrong)]) }
        }
    }

    @Test func secretsAreNamedAndNotShown() throws {
        let shown = try configuration([
            "raw_env": .list(["PASSWORD=oyster", "TOKEN="]), "workers": .int(3), "statsd_host": .string("h:1"),
            "wsgi_app": .string("app:make(key='oyster')"), "default_proc_name": .string("app:plain"),
        ]).shown
        #expect(
            shown == [
                ShownSetting(name: "wsgi_app", value: "'app:make(hidden)'"),
                ShownSetting(name: "workers", value: "3"),
                ShownSetting(name: "raw_env", value: "['PASSWORD=(hidden)', 'TOKEN=(hidden)']"),
                ShownSetting(name: "statsd_host", value: "(set)"),
                ShownSetting(name: "default_proc_name", value: "'app:plain'"),
            ])
    }
}
