public import Platform

/// A socket that listens for one worker alone, beside the one that all workers share (`reuse_port`).
///
/// The shared one is there from the start, so nobody is refused while the first worker boots; it holds the port while
/// there is no worker, and is what an upgrade hands over. The own one gets clients once its worker is about to serve. A
/// worker that leaves takes what waits in it and gives it to those who stay.
public struct OwnListener: Sendable {
    public let socket: ListeningSocket
    /// What it stands beside.
    public let shared: ListeningSocket
}

extension WorkerSeat {
    /// Binds the sockets that this worker alone has. To be called before the process changes its user: all sockets of a
    /// port belong to one.
    ///
    /// - Returns: a line for the log for each address whose clients come by the shared socket alone.
    public mutating func bindOwnListeners() -> [String] {
        var remarks: [String] = []
        for shared in listeners where shared.canHaveTwin {
            do throws(SystemError) {
                ownListeners.append(OwnListener(socket: try shared.twin(), shared: shared))
            } catch {
                remarks.append("This worker has no socket of its own at \(shared.url) (reuse_port): \(error)")
            }
        }
        return remarks
    }

    /// Has the kernel give clients to this worker's own sockets. Silent ones are not kept back (`defer_accept`): nobody
    /// could take them before the socket is closed, and the kernel would reset them then.
    ///
    /// - Parameter backlog: as for `ListeningSocket.tcp`.
    /// - Throws: `SystemError`.
    public func startListening(backlog: Int32) throws(SystemError) {
        for own in ownListeners { try own.socket.startListening(backlog: backlog) }
    }

    /// The shared sockets and then its own, which is how a connection's listener is numbered.
    public var allListeners: [ListeningSocket] { listeners + ownListeners.map(\.socket) }
}
