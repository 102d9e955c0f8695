internal import Admin
internal import Arbiter
internal import Platform
internal import Settings
internal import Telemetry
internal import Transport
internal import Worker

/// What a worker needs to tell the operator.
extension Server {
    /// Nil where the operator has no listener, or the server no scoreboard to read from.
    func adminConfiguration(_ seat: WorkerSeat, _ commons: Commons?, _ allowance: SpoolAllowance) -> AdminConfiguration?
    {
        guard let socket = seat.admin, let commons, let shared = seat.shared else { return nil }
        let ports = shared.means.stackPorts
        var admin = AdminConfiguration(
            socket: socket.descriptor, isUnix: socket.address.port == nil, allowed: configuration.adminAllowIPs,
            policy: configuration.policy, version: host.version,
            settings: configuration.shown.map { ($0.name, $0.value) },
            listeners: seat.listeners.map { AdminConfiguration.Listener(address: $0.url, descriptor: $0.descriptor) },
            scoreboard: commons.scoreboard, relay: commons.relay, cell: commons.cell.index, readyWindow: readyWindow,
            arbiter: seat.parentID,
            order: { seat.order($0) },
            stacks: ports.isEmpty ? nil : StackDesk(ports: ports),
            spoolAllowance: allowance.limited(to: 0))
        admin.keepsSocket = refork(seat)?.isChosen
        return admin
    }

    /// Nil where no path of the application's listeners is answered before it.
    func healthEndpoint(_ commons: Commons?) -> HealthEndpoint? {
        guard let path = configuration.healthPath else { return nil }
        let window = readyWindow
        return HealthEndpoint(path: path) {
            // A worker that is alone, without a scoreboard, is as ready as it can tell.
            commons?.scoreboard.readiness(at: Clock.now(), window: window) ?? .ready
        }
    }

    private var readyWindow: Nanoseconds { .seconds(configuration.readyWindow) }
}
