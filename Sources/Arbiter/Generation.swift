internal import Platform
internal import Settings

/// One configuration of the server and the sockets that its workers get.
struct Generation {
    let number: Int
    let configuration: ArbiterConfiguration
    var listeners: [Listener]

    /// Those for clients.
    var clientListeners: [ListeningSocket] { listeners.filter { !$0.isAdmin }.map(\.socket) }
    /// The one for the operator.
    var adminListener: ListeningSocket? { listeners.first { $0.isAdmin }?.socket }

    /// Has the kernel keep silent clients back, or no longer, as this configuration wants it. Sockets that somebody
    /// else opened are left as they are: systemd has `DeferAcceptSec=` for that. The operator's clients are few, and
    /// ask while much is amiss. Where the kernel cannot do it, clients are accepted at once.
    func deferAccept() {
        for listener in listeners where !listener.isAdmin {
            guard case .tcp = listener.bind else { continue }
            try? listener.socket.deferAccept(seconds: Int32(clamping: configuration.deferAccept))
        }
    }
}

/// A listening socket and the address in the configuration that it is for.
struct Listener {
    /// Nil for a socket that was inherited and that no address of the configuration names.
    let bind: BindAddress?
    let socket: ListeningSocket
    /// Its file, if it has one, is for others to remove.
    var isForeign = false
    /// Workers answer the operator there, and no client.
    var isAdmin = false
}
