internal import ProxyWire

/// Where the operator's requests are answered, checked: what is not meant for everybody must not be open to them by
/// accident.
struct AdminAddress: Sendable {
    let bind: BindAddress?

    init(_ value: SettingValue) throws(SettingFault) {
        if value == .none || value == .string("") {
            bind = nil
            return
        }
        guard case .string(let text) = value else { throw SettingFault(value, "it must be text") }
        let address: BindAddress
        do throws(BindAddress.ParseError) {
            address = try BindAddress(parsing: text)
        } catch {
            throw SettingFault(value, error.remedy)
        }
        guard case .descriptor = address else {
            bind = address
            return
        }
        throw SettingFault(value, "give unix:PATH, or HOST:PORT of a loopback address")
    }

    /// Whether only this machine reaches the address, or whoever may open the file.
    var isLocal: Bool {
        switch bind {
        case nil, .unix, .descriptor: true
        case .tcp("localhost", _): true
        case .tcp(let host, _): IPAddress(host[...])?.isLoopback ?? false
        }
    }

    /// - Throws: `SettingError` where an address that others reach comes without a list of those who may use it.
    static func check(
        _ address: AdminAddress, allowing entries: Bool, _ given: GivenSetting?
    ) throws(SettingError) {
        guard !address.isLocal, !entries, let given else { return }
        throw SettingError(
            "admin_bind", given.source,
            SettingFault(
                given.value,
                "other machines reach this address: name those that may with admin_allow_ips, or use unix:PATH or 127.0.0.1"
            ))
    }
}

extension IPAddress {
    fileprivate var isLoopback: Bool {
        switch unmapped {
        case .v4(let number): number >> 24 == 127
        case .v6(let number): number == 1
        }
    }
}
