public import Platform
internal import Synchronization

/// What a running request's response still has to send.
///
/// PEP 3333, "Buffering and Streaming": a block is handed to the system whole before the next is asked for, or goes on being
/// sent while the application makes that. So the runner puts what the socket does not take into the outbox, and whoever has
/// the baton sends it when the socket takes more. As long as the socket takes everything, nobody locks anything.
extension Connection {
    /// Whether something waits that the socket has not taken. Only the runner makes it true.
    @inline(__always)
    public var hasBacklog: Bool { backlog.load(ordering: .acquiring) }

    /// Bytes that wait.
    public var backlogCount: Int {
        guard hasBacklog else { return 0 }
        backlogLock.lock()
        defer { backlogLock.unlock() }
        return outbox.count
    }

    /// Puts what the socket did not take into the outbox, and sends what it takes by now: the reactor may have heard that it
    /// takes more before there was anything to send. For the runner.
    ///
    /// - Throws: `SystemError` when the connection is lost.
    public func queue(
        releasing releases: inout [UnsafeMutableRawPointer], _ fill: (inout Outbox) -> Void
    ) throws(SystemError) {
        backlogLock.lock()
        fill(&outbox)
        backlog.store(!outbox.isEmpty, ordering: .releasing)
        backlogLock.unlock()
        watchBacklog()
        try sendBacklog(releasing: &releases)
    }

    /// Puts a copy behind what waits. False, and nothing done, when nothing does. For the runner.
    func queueBehindBacklog(copying bytes: UnsafeRawBufferPointer) -> Bool {
        guard hasBacklog else { return false }
        backlogLock.lock()
        defer { backlogLock.unlock() }
        guard hasBacklog else { return false }
        outbox.append(copying: bytes)
        return true
    }

    /// Sends what the socket takes. For the runner, and for who has the baton.
    ///
    /// - Throws: `SystemError` when the connection is lost, or a file ended before its time.
    public func sendBacklog(releasing releases: inout [UnsafeMutableRawPointer]) throws(SystemError) {
        backlogLock.lock()
        defer { backlogLock.unlock() }
        guard hasBacklog, try outbox.flush(to: socket, releasing: &releases) else { return }
        backlog.store(false, ordering: .releasing)
    }

    /// Gives everything up. For the runner.
    ///
    /// - Returns: bytes that were not sent.
    public func discardBacklog(releasing releases: inout [UnsafeMutableRawPointer]) -> Int {
        backlogLock.lock()
        defer { backlogLock.unlock() }
        let count = outbox.count
        outbox.discard(releasing: &releases)
        backlog.store(false, ordering: .releasing)
        return count
    }

    /// The request is over, and the outbox the reactor's alone.
    func endBacklog() { backlog.store(false, ordering: .relaxed) }

    /// Sends a response that was to wait for others, since the runner cannot tell when they come. For the runner.
    public func sendDeferred() {
        guard isDeferred else { return }
        isDeferred = false
        // It holds copies alone, so there is nobody to release. What does not leave, or fails, is found by the reactor.
        var releases: [UnsafeMutableRawPointer] = []
        _ = try? outbox.flush(to: socket, releasing: &releases)
    }

    /// Has the poller tell when the socket takes more. The runner may: `epoll_ctl(2)` is safe beside a wait, and what it
    /// changes here is its own while the request runs.
    private func watchBacklog() {
        guard hasBacklog, !isWatched else { return }
        // Without it the runner alone sends, with its next block.
        guard (try? poller.add(socket, Self.watchedEvents, payload: payload)) != nil else { return }
        isWatched = true
    }

    /// What the poller tells of a connection: edges, each of them once.
    static var watchedEvents: PollEvents { [.readable, .writable, .peerClosed, .edgeTriggered] }
}
