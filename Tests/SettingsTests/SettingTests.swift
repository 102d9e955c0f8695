import Testing

@testable import Settings

@Suite struct SettingTests {
    @Test func declaresEachNameAndFlagOnce() {
        let names = SettingsTable.settings.map(\.name)
        #expect(Set(names).count == names.count)
        let flags = SettingsTable.settings.flatMap(\.flags)
        #expect(Set(flags).count == flags.count)
        // The command line adds these itself.
        #expect(Set(flags).isDisjoint(with: ["-h", "--help", "-v", "--version"]))
    }

    @Test func isWellFormed() {
        for setting in SettingsTable.settings {
            #expect(setting.text.hasSuffix("."), "\(setting.name)")
            for flag in setting.flags {
                #expect(flag.hasPrefix("--") ? flag.utf8.count > 3 : flag.utf8.count == 2 && flag.hasPrefix("-"))
            }
            if case .flag = setting.kind { #expect(setting.metavar == nil) }
            // A function has no flag.
            let isFunction = if case .callable = setting.kind { true } else { false }
            #expect(setting.origin == .gunicorn || isFunction || !setting.flags.isEmpty, "\(setting.name)")
            if setting.initial != .none { #expect(complaint(setting.name, setting.initial) == nil) }
            if let environment = setting.environment { #expect(environment.format.contains("{}")) }
        }
    }

    /// `CheckedSettings` stops at a key that the table lacks. This reads them all.
    @Test func theTableHasEveryKeyThatIsRead() throws {
        _ = try configuration([:])
    }

    @Test func everySettingThatAProcessReadsHasAKey() {
        let read = Set(SettingsTable.settings.filter { [.arbiter, .worker].contains($0.consumer) }.map(\.name))
        #expect(read == Set(SettingsTable.entries.filter(\.isRead).map(\.setting.name)))
    }

    /// gunicorn's documentation, command line and unit files name these; a change would break what people have.
    @Test(arguments: [
        ("bind", ["-b", "--bind"], SettingValue.list(["127.0.0.1:8000"])),
        ("backlog", ["--backlog"], .int(2048)),
        ("workers", ["-w", "--workers"], .int(1)),
        ("worker_class", ["-k", "--worker-class"], .string("sync")),
        ("worker_connections", ["--worker-connections"], .int(1000)),
        ("graceful_timeout", ["--graceful-timeout"], .int(30)),
        ("limit_request_line", ["--limit-request-line"], .int(4094)),
        ("limit_request_fields", ["--limit-request-fields"], .int(100)),
        ("limit_request_field_size", ["--limit-request-field_size"], .int(8190)),
        ("chdir", ["--chdir"], .none),
        ("wsgi_app", [], .none),
        ("loglevel", ["--log-level"], .string("info")),
    ])
    func keepsGunicornsNamesFlagsAndDefaults(name: String, flags: [String], initial: SettingValue) throws {
        let setting = try #require(SettingsTable.named(name))
        #expect(setting.flags == flags)
        #expect(setting.initial == initial)
    }

    @Test func hasOwnDefaultsWhereGunicornsDoHarm() throws {
        let keepAlive = try #require(SettingsTable.named("keepalive"))
        #expect(keepAlive.flags == ["--keep-alive"])
        #expect(keepAlive.initial == .int(75))
    }

    @Test func rowsHoldWhatTheCommandLineNeeds() throws {
        func row(_ name: String) throws -> [String: SettingValue] {
            Dictionary(uniqueKeysWithValues: try #require(SettingsTable.named(name)).row.map { ($0.key, $0.value) })
        }
        let bind = try row("bind")
        #expect(bind["kind"] == .string("list"))
        #expect(bind["action"] == .string("append"))
        #expect(bind["flags"] == .list(["-b", "--bind"]))
        #expect(bind["environment"] == .string("PORT"))
        #expect(bind["environment_format"] == .string("0.0.0.0:{}"))
        #expect(bind["choices"] == SettingValue.none)
        let workers = try row("workers")
        #expect(workers["kind"] == .string("int"))
        #expect(workers["action"] == .string("store"))
        #expect(workers["minimum"] == .int(0))
        #expect(workers["maximum"] == .int(Int(Int32.max)))
        let sendfile = try row("sendfile")
        #expect(sendfile["kind"] == .string("bool"))
        #expect(sendfile["action"] == .string("store_false"))
        #expect(sendfile["metavar"] == SettingValue.none)
        #expect(workers["consumer"] == .string("arbiter") && workers["origin"] == .string("gunicorn"))
        #expect(try row("header_map")["choices"] == .list(["drop", "refuse", "dangerous"]))
        #expect(try row("worker_class")["kind"] == .string("class"))
        #expect(try row("chdir")["kind"] == .string("directory"))
        #expect(try row("spew")["consumer"] == .string("nobody"))
        #expect(try row("certfile")["consumer"] == .string("missing"))
        #expect(try row("request_timeout")["origin"] == .string("own"))
        let hook = try row("post_request")
        #expect(hook["kind"] == .string("callable") && hook["minimum"] == .int(2) && hook["maximum"] == .int(4))
        #expect(
            Set(SettingsTable.settings.map { $0.row.map(\.key) }).count == 1,
            "every row has the same keys in the same order")
    }

    @Test(arguments: [
        ("workers", SettingValue.int(-1), "whole number from 0"), ("workers", .string("4"), "whole number"),
        ("workers", .none, "whole number"), ("worker_connections", .int(0), "from 1"),
        ("graceful_timeout", .int(1_000_000_001), "to 1000000000"), ("graceful_timeout", .other("1.5"), "whole number"),
        ("umask", .int(0o1000), "0o777"), ("umask", .string("007"), "0o22"), ("sendfile", .int(1), "true or false"),
        ("bind", .string("127.0.0.1"), "list of texts"), ("reload_extra_files", .int(1), "path of a file"),
        ("chdir", .bool(true), "directory"), ("pidfile", .int(1), "text"), ("worker_class", .int(1), "class"),
        ("worker_class", .string("eventlet"), "event loops"), ("reload_engine", .string("x"), "choose from auto, poll"),
        ("user", .string("x"), "user"), ("group", .other("1.5"), "group"), ("statsd_host", .int(1), "HOST:PORT"),
        ("logconfig_dict", .list([]), "dictionary"), ("logconfig_dict", .none, "dictionary"),
        ("raw_env", .list(["A=b", "C"]), "NAME=VALUE"), ("raw_env", .list(["=b"]), "NAME=VALUE"),
        ("on_starting", .callable(parameters: 2, name: "f()"), "function of 1 argument,"),
        ("pre_fork", .callable(parameters: 1, name: "f()"), "function of 2 arguments"),
        ("post_request", .callable(parameters: 1, name: "f()"), "2 to 4 arguments"),
        ("pre_request", .callable(parameters: 3, name: "f()"), "function of 2 arguments"),
        ("on_exit", .string("f"), "module.function"), ("on_exit", .none, "function"),
        ("http2_max_frame_size", .int(1), "from 16384"), ("no_such_setting", .int(1), "no such setting"),
    ])
    func refusesWhatDoesNotFit(name: String, value: SettingValue, mention: String) throws {
        let error = try #require(complaint(name, value))
        #expect(error.setting == name)
        #expect(error.remedy.contains(mention), "\(error)")
    }

    @Test(arguments: [
        ("workers", SettingValue.int(3)), ("chdir", .string("/")), ("umask", .int(0o22)), ("ssl_version", .other("x")),
        ("post_request", .callable(parameters: 2, name: "f()")),
        ("post_request", .callable(parameters: 4, name: "f()")),
        ("pidfile", .none), ("worker_class", .none), ("logconfig_dict", .mapping([:])), ("user", .int(0)),
        ("statsd_host", .string("unix:///run/s")), ("raw_env", .list(["A="])), ("reload", .none),
    ])
    func takesWhatFits(name: String, value: SettingValue) {
        #expect(complaint(name, value) == nil)
    }

    @Test func saysWhereTheValueComesFrom() {
        let error = #expect(throws: SettingError.self) {
            try SettingsTable.check("workers", GivenSetting(.int(-1), from: "WEB_CONCURRENCY in the environment"))
        }
        #expect(
            error?.description
                == "Invalid value for workers (WEB_CONCURRENCY in the environment): -1: "
                + "it must be a whole number from 0 to 2147483647")
    }

    @Test(arguments: [
        (SettingValue.none, "None"), (.int(-3), "-3"), (.bool(true), "True"), (.bool(false), "False"),
        (.string("it's"), "'it\\'s'"), (.string("a\nb\0"), "'a\\x0ab\\x00'"), (.string("\u{1b}[0m"), "'\\x1b[0m'"),
        (.string("\\"), "'\\\\'"), (.string("é"), "'é'"), (.list(["a", "b"]), "['a', 'b']"), (.list([]), "[]"),
        (.callable(parameters: 1, name: "hook()"), "hook()"), (.other("1.5"), "1.5"),
    ])
    func describesValuesOnOneLine(value: SettingValue, text: String) {
        #expect(value.description == text)
    }
}
