import Settings
import Testing

@Suite struct SettingTests {
    @Test func declaresEachNameAndFlagOnce() {
        let names = Setting.all.map(\.name)
        #expect(Set(names).count == names.count)
        let flags = Setting.all.flatMap(\.flags)
        #expect(Set(flags).count == flags.count)
        // The command line adds these itself.
        #expect(Set(flags).isDisjoint(with: ["-h", "--help", "-v", "--version"]))
    }

    @Test(arguments: Setting.all)
    func isWellFormed(setting: Setting) throws {
        #expect(!setting.section.isEmpty)
        #expect(setting.text.hasSuffix("."))
        for flag in setting.flags {
            #expect(flag.hasPrefix("--") ? flag.count > 3 : flag.count == 2 && flag.hasPrefix("-"))
        }
        if case .flag = setting.kind {
            #expect(setting.metavar == nil)
        } else {
            #expect(setting.metavar != nil)
        }
        if setting.initial != .none {
            #expect(try setting.check(setting.initial) == setting.initial)
        }
        if let environment = setting.environment {
            #expect(environment.format.contains("{}"))
        }
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
        let setting = try #require(Setting.named(name))
        #expect(setting.flags == flags)
        #expect(setting.initial == initial)
    }

    @Test func hasOwnDefaultsWhereGunicornsDoHarm() throws {
        let keepAlive = try #require(Setting.named("keepalive"))
        #expect(keepAlive.flags == ["--keep-alive"])
        #expect(keepAlive.initial == .int(75))
    }

    @Test func rowsHoldWhatTheCommandLineNeeds() throws {
        func row(_ name: String) throws -> [String: SettingValue] {
            Dictionary(uniqueKeysWithValues: try #require(Setting.named(name)).row.map { ($0.key, $0.value) })
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
        #expect(try row("worker_class")["choices"] == .list(["sync", "gthread"]))
        #expect(try row("worker_class")["kind"] == .string("choice"))
        #expect(try row("chdir")["kind"] == .string("str"))
        #expect(Set(Setting.all.map { $0.row.map(\.key) }).count == 1, "every row has the same keys in the same order")
    }

    @Test(arguments: [
        ("workers", SettingValue.int(-1), "whole number from 0"),
        ("workers", .string("4"), "whole number"),
        ("worker_connections", .int(0), "from 1"),
        ("graceful_timeout", .int(1_000_000_001), "to 1000000000"),
        ("sendfile", .int(1), "true or false"),
        ("bind", .string("127.0.0.1"), "list"),
        ("chdir", .bool(true), "text"),
        ("worker_class", .string("eventlet"), "choose from sync"),
    ])
    func refusesWhatDoesNotFit(name: String, value: SettingValue, mention: String) throws {
        let setting = try #require(Setting.named(name))
        let error = #expect(throws: SettingError.self) { try setting.check(value) }
        #expect(error?.setting == name)
        #expect(error?.value == value)
        #expect(error?.remedy.contains(mention) == true)
    }

    @Test func saysWhereTheValueComesFrom() throws {
        let workers = try #require(Setting.named("workers"))
        let error = #expect(throws: SettingError.self) { try workers.check(.int(-1)) }
        #expect(
            error?.description
                == "Invalid value for workers (-w/--workers, or WEB_CONCURRENCY in the environment): -1: "
                + "it must be a whole number from 0 to 2147483647")
    }

    @Test(arguments: [
        (SettingValue.none, "None"), (.int(-3), "-3"), (.bool(true), "True"), (.bool(false), "False"),
        (.string("it's"), "'it\\'s'"), (.string("a\nb\0"), "'a\\x0ab\\x00'"), (.string("\u{1b}[0m"), "'\\x1b[0m'"),
        (.string("\\"), "'\\\\'"), (.string("é"), "'é'"), (.list(["a", "b"]), "['a', 'b']"), (.list([]), "[]"),
    ])
    func describesValuesOnOneLine(value: SettingValue, text: String) {
        #expect(value.description == text)
    }
}
