public import PythonBridge

/// What CPython calls to import `monoceros._native`.
@c(PyInit__native)
public func initializeModule() -> PyPointer? {
    NativeModule.make(
        name: "_native", doc: "The Swift core of Monoceros.",
        functions: [("settings", settings), ("serve", serve)])
}

/// `settings() -> list[SettingRow]`.
private let settings: NativeMethod = { _, values, count, names in
    GIL.calledByPython { (gil) throws(PythonError) in
        try Arguments(values, count, names).check("settings", 0...0, gil: gil)
        return try gil.settingsTable().leak()
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
