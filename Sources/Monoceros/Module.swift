public import PythonBridge
internal import Telemetry

/// What CPython calls to import `monoceros._native`.
@c(PyInit__native)
public func initializeModule() -> PyPointer? {
    NativeModule.make(
        name: "_native", doc: "The Swift core of Monoceros.",
        functions: [
            ("settings", settings), ("check", check), ("configure", configure), ("serve", serve),
            ("check_access_log_format", checkAccessLogFormat), ("immortalize", immortalize), ("fill_holes", fillHoles),
        ])
}

/// `settings() -> list[SettingRow]`.
private let settings: NativeMethod = { _, values, count, names in
    GIL.calledByPython { (gil) throws(PythonError) in
        try Arguments(values, count, names).check("settings", 0...0, gil: gil)
        return try gil.settingsTable().leak()
    }
}

/// `check(name, value, source) -> None`.
private let check: NativeMethod = { _, values, count, names in
    GIL.calledByPython { (gil) throws(PythonError) in
        let arguments = Arguments(values, count, names)
        try arguments.check("check", 3...3, gil: gil)
        guard let name = try arguments.get(0, gil: gil), let value = try arguments.get(1, gil: gil),
            let source = try arguments.get(2, gil: gil)
        else { throw gil.raise(.typeError, "check() needs a name, a value and a source") }
        try gil.check(setting: name, value, from: source)
        return gil.newNone()
    }
}

/// `configure(settings) -> None`.
private let configure: NativeMethod = { _, values, count, names in
    GIL.calledByPython { (gil) throws(PythonError) in
        let arguments = Arguments(values, count, names)
        try arguments.check("configure", 1...1, gil: gil)
        guard let settings = try arguments.get(0, gil: gil) else {
            throw gil.raise(.typeError, "configure() needs settings")
        }
        _ = try gil.serverConfiguration(settings)
        return gil.newNone()
    }
}

/// `check_access_log_format(format) -> None`.
private let checkAccessLogFormat: NativeMethod = { _, values, count, names in
    GIL.calledByPython { (gil) throws(PythonError) in
        let arguments = Arguments(values, count, names)
        try arguments.check("check_access_log_format", 1...1, gil: gil)
        guard let text = try arguments.get(0, gil: gil), let format = gil.text(text) else {
            throw gil.raise(.typeError, "check_access_log_format() needs a str")
        }
        do throws(AccessLogFormatError) {
            _ = try AccessLogFormat(format)
        } catch {
            throw gil.raise(.valueError, error.description)
        }
        return gil.newNone()
    }
}

/// `serve(settings, host) -> int`.
private let serve: NativeMethod = { _, values, count, names in
    GIL.calledByPython { (gil) throws(PythonError) in
        let arguments = Arguments(values, count, names)
        try arguments.check("serve", 2...2, "settings", "host", gil: gil)
        guard let settings = try arguments.get(0, "settings", gil: gil),
            let host = try arguments.get(1, "host", gil: gil)
        else { throw gil.raise(.typeError, "serve() needs settings and a host") }
        let server = Server(
            configuration: try gil.serverConfiguration(settings), host: try Host(host, gil))
        return try gil.integer(Int(try server.run(&gil))).leak()
    }
}
