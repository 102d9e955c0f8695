internal import Platform
internal import Settings

/// One configuration of the server and the sockets that its workers get.
struct Generation {
    let number: Int
    let configuration: ArbiterConfiguration
    var listeners: [Listener]
}

/// A listening socket and the address in the configuration that it is for.
struct Listener {
    /// Nil for a socket that was inherited and that no address of the configuration names.
    let bind: BindAddress?
    let socket: ListeningSocket
    /// Its file, if it has one, is for others to remove.
    var isForeign = false
}
