internal import CSystem
internal import Glibc

/// Whoever started this service and wants to hear how it does: systemd, or a supervisor that speaks its protocol
/// (`sd_notify(3)`). One datagram a message; nothing is kept open between two, so that a fork inherits nothing.
public struct ServiceManager: Sendable {
    /// The variable in which the manager says where it listens. An older master leaves it to a newer one.
    public static let variable = "NOTIFY_SOCKET"

    /// What became of a message. None of it is a reason to stop.
    public enum Outcome: Equatable, Sendable {
        case sent
        /// The manager's queue is full; the message is lost, and waiting for it is not worth a request.
        case queueFull
        case failed(SystemError)
    }

    private let address: UnixPath

    /// - Parameter socket: an absolute path, or `@` and an abstract name (`unix(7)`). Nil when it is neither, as
    ///   `vsock:` of a virtual machine's own manager, or longer than the kernel takes.
    public init?(socket: String) {
        let path = socket.utf8.first == UInt8(ascii: "@") ? "\0" + socket.dropFirst() : socket
        guard path.utf8.count > 1, path.utf8.first == 0 || path.utf8.first == UInt8(ascii: "/") else { return nil }
        guard let address = try? UnixPath(path) else { return nil }
        self.address = address
    }

    /// The manager of this process; nil when it has none that can be spoken to.
    ///
    /// - Parameter environment: looks a variable up.
    public static func inherited(
        from environment: (String) -> String? = Process.environment
    ) -> ServiceManager? {
        environment(variable).flatMap { ServiceManager(socket: $0) }
    }

    /// Tells the manager all of this at once. Never waits, and never raises SIGPIPE.
    @discardableResult
    public func notify(_ states: ServiceState...) -> Outcome {
        notify(states)
    }

    /// The same for a list; an empty one sends nothing.
    @discardableResult
    public func notify(_ states: [ServiceState]) -> Outcome {
        guard !states.isEmpty else { return .sent }
        var message = states.map(\.assignments).joined(separator: "\n")
        do throws(SystemError) {
            let socket = Descriptor(rawValue: try systemCall("socket") { csystem_datagram_socket() })
            defer { socket.close() }
            let result = try nonBlockingCall("sendto") {
                message.withUTF8 { bytes in
                    Int(
                        address.withAddress { name, length in
                            Int32(
                                truncatingIfNeeded: csystem_send_to(
                                    socket.rawValue, bytes.baseAddress, bytes.count, name, length))
                        })
                }
            }
            guard case .processed = result else { return .queueFull }
            return .sent
        } catch {
            return error.errno == .noBuffers ? .queueFull : .failed(error)
        }
    }

    /// Within which time the manager wants to hear `WATCHDOG=1`, in nanoseconds; nil when it does not watch this
    /// process (`sd_watchdog_enabled(3)`).
    ///
    /// - Parameter environment: looks a variable up.
    /// - Throws: `ServiceVariableError` for a variable that cannot be read.
    public static func watchdogTimeout(
        for pid: ProcessID = Process.id, from environment: (String) -> String? = Process.environment
    ) throws(ServiceVariableError) -> Nanoseconds? {
        guard let text = environment("WATCHDOG_USEC") else { return nil }
        if let owner = environment("WATCHDOG_PID") {
            guard let owner: ProcessID = decimal(owner), owner > 0 else {
                throw ServiceVariableError(name: "WATCHDOG_PID", value: owner)
            }
            // It is another process's watchdog; the variables came down with the environment.
            guard owner == pid else { return nil }
        }
        guard let microseconds: UInt64 = decimal(text), microseconds > 0, microseconds != .max else {
            throw ServiceVariableError(name: "WATCHDOG_USEC", value: text)
        }
        let (nanoseconds, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { throw ServiceVariableError(name: "WATCHDOG_USEC", value: text) }
        return nanoseconds
    }
}

/// A variable that the service manager set, with a value that cannot be read. The text says which.
public struct ServiceVariableError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The variable.
    public let name: String
    /// What it says.
    public let value: String

    /// A variable that cannot be used.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    public var description: String { "the service manager's variable \(name) cannot be used: \(value)" }
}

/// ASCII digits only, and within the type's bounds: `init(_:)` takes signs too.
func decimal<Number: FixedWidthInteger>(_ text: some StringProtocol) -> Number? {
    guard !text.isEmpty, text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
    return Number(text)
}
