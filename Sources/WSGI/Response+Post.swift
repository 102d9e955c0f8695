internal import HTTPServer
internal import Platform
internal import PythonBridge
internal import Transport

/// From the writer's bytes to the socket, and to the outbox where the socket takes no more.
///
/// What an outbox gives back is released last: that may run code of the application (`__del__`, in a subclass of
/// `bytes`), and that may call the writer, whose bytes are being sent.
extension Response {
    /// Sends what the writer has made; a response that is whole with that may wait for others.
    ///
    /// - Parameter block: the `bytes` that `runs.body` is part of.
    func post(_ runs: ResponseRuns, of block: PyPointer?, _ gil: inout GIL) {
        guard let connection, runs.count > 0 else { return }
        if runs.isWholeResponse, mayDefer, !connection.hasBacklog {
            connection.outbox.append(copying: runs.first)
            connection.isDeferred = true
            return
        }
        var releases: [UnsafeMutableRawPointer] = []
        if runs.body.count == 0 {
            post(runs.first, on: connection, &releases)
        } else {
            post(runs, of: block, on: connection, &releases, gil)
        }
        if !releases.isEmpty { gil.release(owners: releases) }
    }

    /// Sends bytes of ours.
    @inline(__always)
    private func post(
        _ bytes: UnsafeRawBufferPointer, on connection: Connection, _ releases: inout [UnsafeMutableRawPointer]
    ) {
        var sent = 0
        switch way(connection, &releases) {
        case .lost: return lose(connection, unsent: bytes.count, &releases)
        case .blocked: break
        case .clear:
            guard let result = try? connection.socket.send(bytes) else {
                return lose(connection, unsent: bytes.count, &releases)
            }
            if case .processed(let count) = result { sent = count }
            if sent == bytes.count { return }
        }
        queue(connection, &releases) { $0.append(copying: bytes.after(sent)) }
    }

    /// Sends bytes of ours around bytes of the application's, in one call. The application's are not copied.
    private func post(
        _ runs: ResponseRuns, of block: PyPointer?, on connection: Connection,
        _ releases: inout [UnsafeMutableRawPointer], _ gil: borrowing GIL
    ) {
        var sent = 0
        switch way(connection, &releases) {
        case .lost: return lose(connection, unsent: runs.count, &releases)
        case .blocked: break
        case .clear:
            guard let result = try? connection.socket.send(runs.first, runs.body, runs.last) else {
                return lose(connection, unsent: runs.count, &releases)
            }
            if case .processed(let count) = result { sent = count }
            if sent == runs.count { return }
        }
        let rest = runs.body.after(sent - runs.first.count)
        // A segment for each of many small blocks would cost more than copying them.
        let borrowed = rest.count > ResponseWriter.copyLimit ? block : nil
        if let borrowed { gil.retain(borrowed) }
        queue(connection, &releases) { outbox in
            outbox.append(copying: runs.first.after(sent))
            if let borrowed {
                outbox.append(rest, owner: UnsafeMutableRawPointer(borrowed))
            } else {
                outbox.append(copying: rest)
            }
            outbox.append(copying: runs.last.after(sent - runs.first.count - runs.body.count))
        }
    }

    private enum Way {
        /// Nothing waits in front.
        case clear
        /// Something does.
        case blocked
        /// The connection is.
        case lost
    }

    /// Whether what is to be sent can leave at once. What waits in front of it is sent first, as far as the socket
    /// takes it.
    @inline(__always)
    private func way(_ connection: Connection, _ releases: inout [UnsafeMutableRawPointer]) -> Way {
        if !connection.hasBacklog { return .clear }
        guard flush(connection, &releases) else { return .lost }
        return connection.hasBacklog ? .blocked : .clear
    }

    /// Sends what waits, as far as the socket takes it by now. False when the connection is lost.
    func flush(_ connection: Connection, _ releases: inout [UnsafeMutableRawPointer]) -> Bool {
        do throws(SystemError) {
            try connection.sendBacklog(releasing: &releases)
            return true
        } catch {
            fail(connection, error, &releases)
            return false
        }
    }

    /// Has bytes wait for the socket. Whoever has the baton sends them while the application goes on.
    func queue(
        _ connection: Connection, _ releases: inout [UnsafeMutableRawPointer], _ fill: (inout Outbox) -> Void
    ) {
        do throws(SystemError) {
            try connection.queue(releasing: &releases, fill)
        } catch {
            fail(connection, error, &releases)
        }
    }

    private func fail(_ connection: Connection, _ error: SystemError, _ releases: inout [UnsafeMutableRawPointer]) {
        guard error == Outbox.fileEnded else { return lose(connection, unsent: 0, &releases) }
        writer.cutShort(waiting: connection.discardBacklog(releasing: &releases))
    }

    /// The client is gone.
    ///
    /// - Parameter unsent: bytes that were not even queued.
    private func lose(_ connection: Connection, unsent: Int, _ releases: inout [UnsafeMutableRawPointer]) {
        writer.lose(unsent: unsent + connection.discardBacklog(releasing: &releases))
    }

    /// The client is gone, or took nothing for too long: nothing more is sent.
    func lose(_ gil: inout GIL) {
        guard let connection else { return }
        var releases: [UnsafeMutableRawPointer] = []
        lose(connection, unsent: 0, &releases)
        gil.release(owners: releases)
    }
}

extension UnsafeRawBufferPointer {
    /// What is left after the first `count` bytes; all of it for a negative count, nothing past the end.
    fileprivate func after(_ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[Swift.min(Swift.max(0, count), self.count)...])
    }
}
