internal import HTTPServer
internal import PythonBridge
internal import Transport

/// From the writer's bytes to the connection, which sends them or has them wait.
extension Response {
    /// Sends what the writer has made; a response that is whole with that may wait for others.
    ///
    /// - Parameter block: the `bytes` that `runs.body` is part of.
    func post(_ runs: ResponseRuns, of block: PyPointer?, _ gil: inout GIL) {
        guard runs.count > 0, let borrowed = borrowedConnection else { return }
        if runs.isWholeResponse, mayDefer,
            borrowed._withUnsafeGuaranteedRef({ $0.deferResponse(runs.first) })
        {
            return
        }
        if runs.body.count == 0 {
            let sent = borrowed._withUnsafeGuaranteedRef { $0.sendAhead(runs.first) }
            if sent != runs.first.count { postRest(runs.first, after: sent, &gil) }
        } else {
            postWithoutCopy(runs, of: block, &gil)
        }
    }

    @inline(never)
    private func postWithoutCopy(_ runs: ResponseRuns, of block: PyPointer?, _ gil: inout GIL) {
        guard let connection else { return }
        output(&gil) { (releases, gil) throws(OutputFailure) in
            try connection.transmit(
                runs.first, runs.body, runs.last, owner: block.map { UnsafeMutableRawPointer($0) },
                releasing: &releases, retaining: { _ in if let block { gil.retain(block) } })
        }
    }

    /// Sends, or has wait, what was not sent at once.
    @inline(never)
    private func postRest(_ bytes: UnsafeRawBufferPointer, after sent: Int?, _ gil: inout GIL) {
        guard let connection else { return }
        output(&gil) { (releases, _) throws(OutputFailure) in
            if let sent {
                try connection.wait(UnsafeRawBufferPointer(rebasing: bytes[sent...]), releasing: &releases)
            } else {
                try connection.transmit(bytes, releasing: &releases)
            }
        }
    }

    /// Has the connection send something, and deals with what comes of that.
    ///
    /// What the connection gives back is released last: that may run code of the application (`__del__`, in a subclass
    /// of `bytes`), and that may call the writer, whose bytes are being sent.
    @inline(__always)
    func output(
        _ gil: inout GIL,
        _ send: (inout [UnsafeMutableRawPointer], borrowing GIL) throws(OutputFailure) -> Void
    ) {
        mayBePending = true
        var releases: [UnsafeMutableRawPointer] = []
        do throws(OutputFailure) {
            try send(&releases, gil)
        } catch {
            switch error.cause {
            case .fileEnded: writer.cutShort(waiting: error.unsentCount)
            case .disconnected: writer.lose(unsent: error.unsentCount)
            }
        }
        if !releases.isEmpty { gil.release(owners: releases) }
    }

    /// Sends what waits, as far as the socket takes it by now.
    func flush(_ connection: Connection, _ gil: inout GIL) {
        output(&gil) { (releases, _) throws(OutputFailure) in try connection.sendPendingOutput(releasing: &releases) }
    }

    /// Whether it waits to leave with others.
    var isDeferred: Bool { connection?.isDeferred ?? false }

    /// The client is gone, or took nothing for too long: nothing more is sent.
    func lose(_ gil: inout GIL) {
        guard let connection else { return }
        var releases: [UnsafeMutableRawPointer] = []
        writer.lose(unsent: connection.abandonOutput(releasing: &releases))
        gil.release(owners: releases)
    }
}
