internal import HTTPWire

// A policy for tests that are not about one. SettingsTests holds it to the table of settings; the test targets that
// need it have it by symbolic link.

extension RequestPolicy {
    init() {
        self.init(
            limitRequestLine: 4094, limitRequestFields: 100, limitRequestFieldSize: 8190, limitRequestBody: 0,
            permitMissingHost: false, permitObsoleteFolding: false, stripHeaderSpaces: false,
            permitUnconventionalMethod: false, permitUnconventionalVersion: false, casefoldMethod: false,
            headerMap: .drop, forwarderHeaders: .named(["SCRIPT_NAME", "PATH_INFO"]),
            secureSchemeHeaders: [
                SecureSchemeHeader(name: "X-FORWARDED-PROTOCOL", secureValue: "ssl"),
                SecureSchemeHeader(name: "X-FORWARDED-PROTO", secureValue: "https"),
                SecureSchemeHeader(name: "X-FORWARDED-SSL", secureValue: "on"),
            ])
    }
}
