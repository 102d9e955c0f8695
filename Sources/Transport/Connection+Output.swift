public import Platform
internal import Synchronization

/// Whose the outbox of a running request is.
enum OutputState: UInt8, AtomicRepresentable {
    /// Nothing is in it.
    case clear
    /// A whole response, which waits to leave with others: the runner's until the request is over.
    case deferred
    /// What the socket did not take: it is shared by the runner, which adds, and whoever has the baton, who sends.
    case pending
}

/// Why the output of a request cannot be sent. All that waited is given up.
public struct OutputFailure: Error, Equatable, Sendable {
    public enum Cause: Equatable, Sendable {
        /// The client is gone.
        case disconnected(SystemError)
        /// A file has fewer bytes than were promised of it: nobody but the server knows of that.
        case fileEnded
    }

    public let cause: Cause
    /// Bytes that were handed over, now or before, and have not left.
    public let unsentCount: Int
}

/// How a runner sends the response of its request.
///
/// PEP 3333, "Buffering and Streaming": a block is handed to the system whole before the next is asked for, or goes on
/// being sent while the application makes that. So what the socket does not take goes to the outbox, and whoever has
/// the baton sends it when the socket takes more. As long as the socket takes everything, nobody locks anything.
///
/// `releases` gets the owners of bytes that are sent or given up.
extension Connection {
    /// Blocks up to this size are copied where they have to wait: a segment of the outbox for each of many small ones
    /// would cost more.
    public static let copyLimit = 4096

    // MARK: Sending

    /// Sends what the socket takes by now, where nothing waits in front of it: all of a small response, nearly always.
    /// The rest has to `wait`.
    ///
    /// - Returns: how many bytes were taken; nil where something waits, they are too many for one attempt, or the
    ///   client is gone: `transmit` deals with that.
    public func sendAhead(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count <= TurnBudget.sent, outputState.load(ordering: .relaxed) == .clear,
            let result = try? channel.send(bytes)
        else { return nil }
        return if case .processed(let count) = result { count } else { 0 }
    }

    /// Has a copy of what `sendAhead` left wait.
    ///
    /// - Throws: `OutputFailure`.
    public func wait(
        _ bytes: UnsafeRawBufferPointer, releasing releases: inout [UnsafeMutableRawPointer]
    ) throws(OutputFailure) {
        try queue(releasing: &releases) { $0.append(copying: bytes) }
    }

    /// Sends what the socket takes by now, behind what waits, and has a copy of the rest wait.
    ///
    /// - Throws: `OutputFailure`.
    public func transmit(
        _ bytes: UnsafeRawBufferPointer, releasing releases: inout [UnsafeMutableRawPointer]
    ) throws(OutputFailure) {
        var sent = 0
        if try isClear(before: bytes.count, releasing: &releases) {
            do throws(SystemError) {
                let attempt = UnsafeRawBufferPointer(rebasing: bytes.prefix(TurnBudget.sent))
                if case .processed(let count) = try channel.send(attempt) { sent = count }
            } catch {
                throw giveUp(error, unqueued: bytes.count, releasing: &releases)
            }
            if sent == bytes.count { return }
        }
        try queue(releasing: &releases) { $0.append(copying: bytes.after(sent)) }
    }

    /// The same for bytes that belong to somebody, with others in front of them and behind, all in one call of the
    /// system.
    ///
    /// - Parameters:
    ///   - owner: whose `body` is. Where much of that has to wait, it stays where it is until the owner comes back: in
    ///     `releases`, or from `Reactor.takeReleases`. Nil for bytes that have to be copied.
    ///   - retain: called before the owner can come back, if it is going to.
    /// - Throws: `OutputFailure`.
    public func transmit(
        _ first: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, _ last: UnsafeRawBufferPointer,
        owner: UnsafeMutableRawPointer?, releasing releases: inout [UnsafeMutableRawPointer],
        retaining retain: (UnsafeMutableRawPointer) -> Void
    ) throws(OutputFailure) {
        let count = first.count + body.count + last.count
        var sent = 0
        if try isClear(before: count, releasing: &releases) {
            do throws(SystemError) {
                // One attempt, since Python's lock is held: the rest is the reactor's.
                let attempt = UnsafeRawBufferPointer(rebasing: body.prefix(TurnBudget.sent))
                let end = attempt.count < body.count ? UnsafeRawBufferPointer(start: nil, count: 0) : last
                if case .processed(let taken) = try channel.send(first, attempt, end) { sent = taken }
            } catch {
                throw giveUp(error, unqueued: count, releasing: &releases)
            }
            if sent == count { return }
        }
        let rest = body.after(sent - first.count)
        let lender = rest.count > Self.copyLimit ? owner : nil
        if let lender { retain(lender) }
        try queue(releasing: &releases) { outbox in
            outbox.append(copying: first.after(sent))
            if let lender { outbox.append(rest, owner: lender) } else { outbox.append(copying: rest) }
            outbox.append(copying: last.after(sent - first.count - body.count))
        }
    }

    /// Has part of a file wait behind what waits: it is the reactor that sends it, since the disk may be slow. The
    /// descriptor is taken over, whatever happens.
    ///
    /// - Throws: `OutputFailure`.
    public func transmit(
        file: Descriptor, offset: Int, count: Int, releasing releases: inout [UnsafeMutableRawPointer]
    ) throws(OutputFailure) {
        let part = FilePart(.owned(file), offset: offset, count: count, spool: spool)
        try queue(releasing: &releases) { $0.append(part) }
    }

    /// Sends what the socket takes of what waits, for one turn.
    ///
    /// - Throws: `OutputFailure`.
    public func sendPendingOutput(releasing releases: inout [UnsafeMutableRawPointer]) throws(OutputFailure) {
        do throws(SystemError) {
            _ = try sendPending(releasing: &releases)
        } catch {
            throw giveUp(error, unqueued: 0, releasing: &releases)
        }
    }

    /// Waits for the socket to take more. For a thread that keeps nobody waiting meanwhile.
    ///
    /// - Parameter milliseconds: the longest wait.
    /// - Returns: false after the timeout. A signal ends the wait early and counts as room: the caller tries again.
    public func waitUntilWritable(milliseconds: Int32) -> Bool { channel.waitUntilWritable(milliseconds: milliseconds) }

    /// Gives everything up that waits.
    ///
    /// - Returns: bytes that were not sent.
    public func abandonOutput(releasing releases: inout [UnsafeMutableRawPointer]) -> Int {
        outputLock.lock()
        defer { outputLock.unlock() }
        let count = outbox.count
        outbox.discard(releasing: &releases)
        outputState.store(.clear, ordering: .releasing)
        return count
    }

    // MARK: Waiting for others

    /// Has a copy of a whole small response wait, to leave with others (`Reactor.defersResponses`).
    ///
    /// - Returns: false, and nothing done, where other output waits in front of it.
    public func deferResponse(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard outputState.load(ordering: .relaxed) == .clear else { return false }
        outbox.append(copying: bytes)
        outputState.store(.deferred, ordering: .relaxed)
        return true
    }

    /// Whether the socket has not taken all of the running request's response. One load.
    @inline(__always)
    var isOutputPending: Bool { outputState.load(ordering: .relaxed) == .pending }

    /// Whether the response waits to leave with others.
    public var isDeferred: Bool { outputState.load(ordering: .relaxed) == .deferred }

    /// Sends a response that was to wait for others, since the runner cannot tell when they come.
    public func sendDeferred() {
        guard isDeferred else { return }
        outputState.store(.clear, ordering: .relaxed)
        // It holds copies alone, so there is nobody to release. What does not leave, or fails, is found by the reactor.
        var releases: [UnsafeMutableRawPointer] = []
        _ = try? outbox.flush(to: channel, releasing: &releases)
    }

    // MARK: How much

    /// Whether something waits that the socket has not taken. Only the runner makes it true.
    @inline(__always)
    var hasPendingOutput: Bool { outputState.load(ordering: .acquiring) == .pending }

    /// Whether something waits, for the socket or for others.
    @inline(__always)
    var hasOutput: Bool { outputState.load(ordering: .acquiring) != .clear }

    /// Bytes that the socket has not taken.
    public var pendingOutputCount: Int {
        guard hasPendingOutput else { return 0 }
        outputLock.lock()
        defer { outputLock.unlock() }
        return outbox.count
    }

    /// Bytes that the client has not taken: what waits here, and what is in the kernel's send buffer, which may hold
    /// megabytes and reports room only once a good part of them has left.
    public var unsentByteCount: Int {
        outputLock.lock()
        defer { outputLock.unlock() }
        return outbox.count + channel.unsentByteCount
    }

    // MARK: Behind it

    /// Whether nothing waits in front of what is to be sent; what does is sent first, as far as the socket takes it.
    @inline(__always)
    private func isClear(
        before count: Int, releasing releases: inout [UnsafeMutableRawPointer]
    ) throws(OutputFailure) -> Bool {
        if outputState.load(ordering: .acquiring) == .clear { return true }
        do throws(SystemError) {
            if isDeferred { outputState.store(.pending, ordering: .releasing) }
            _ = try sendPending(releasing: &releases)
        } catch {
            throw giveUp(error, unqueued: count, releasing: &releases)
        }
        return !hasPendingOutput
    }

    /// Puts what the socket did not take into the outbox, for the reactor to send.
    private func queue(
        releasing releases: inout [UnsafeMutableRawPointer], _ fill: (inout Outbox) -> Void
    ) throws(OutputFailure) {
        outputLock.lock()
        // The reactor goes on with what it knows of.
        let isUnderWay = hasPendingOutput && isWatched
        fill(&outbox)
        outputState.store(outbox.isEmpty ? .clear : .pending, ordering: .releasing)
        outputLock.unlock()
        if !isUnderWay, hasPendingOutput, !watchOutput() {
            // The reactor will not hear of the socket: the runner alone sends, now and with its next block.
            try sendPendingOutput(releasing: &releases)
        }
    }

    /// Puts a copy behind what waits. False, and nothing done, when nothing does.
    func queueBehindPending(copying bytes: UnsafeRawBufferPointer) -> Bool {
        guard hasPendingOutput else { return false }
        outputLock.lock()
        defer { outputLock.unlock() }
        guard hasPendingOutput else { return false }
        outbox.append(copying: bytes)
        return true
    }

    /// Sends what the socket takes, for one turn. For the runner, and for who has the baton.
    ///
    /// - Throws: `SystemError` when the connection is lost, or a file ended before its time.
    func sendPending(releasing releases: inout [UnsafeMutableRawPointer]) throws(SystemError) -> Outbox.Flush {
        outputLock.lock()
        defer { outputLock.unlock() }
        guard hasPendingOutput else { return .done }
        let flush = try outbox.flush(to: channel, besideInteractive: spool.hasInteractiveClients, releasing: &releases)
        if flush == .needsDisk { sendFromDisk() }
        if flush == .done { outputState.store(.clear, ordering: .releasing) }
        return flush
    }

    private func giveUp(
        _ error: SystemError, unqueued: Int, releasing releases: inout [UnsafeMutableRawPointer]
    ) -> OutputFailure {
        let count = unqueued + abandonOutput(releasing: &releases)
        return OutputFailure(cause: error == Outbox.fileEnded ? .fileEnded : .disconnected(error), unsentCount: count)
    }

    /// The request is over, and the outbox the reactor's alone.
    ///
    /// - Returns: whether its response waits for others.
    @inline(__always)
    func endOutput() -> Bool {
        let state = outputState.load(ordering: .relaxed)
        if state != .clear { outputState.store(.clear, ordering: .relaxed) }
        return state == .deferred
    }

    /// Has the poller tell when the socket takes more, also if it does already: the reactor may have heard of that
    /// before there was anything to send. The runner may: `epoll_ctl(2)` is safe beside a wait, and what it changes
    /// here is its own while the request runs.
    ///
    /// - Returns: false when the poller could not be told.
    func watchOutput() -> Bool {
        do throws(SystemError) {
            if isWatched {
                try poller.change(channel.socket, Self.watchedEvents, payload: payload)
            } else {
                try poller.add(channel.socket, Self.watchedEvents, payload: payload)
                isWatched = true
            }
            return true
        } catch {
            return false
        }
    }
}

extension UnsafeRawBufferPointer {
    /// What is left after the first `count` bytes; all of it for a negative count, nothing past the end.
    fileprivate func after(_ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[Swift.min(Swift.max(0, count), self.count)...])
    }
}
