internal import HTTPServer
internal import Platform
internal import PythonBridge
internal import Transport

/// Clients that take a response more slowly than its application makes it.
extension Response {
    /// Looks after what waits for the client. Past `response_buffer` it goes to a file. Where that has no room, it
    /// holds the application up. One large last block is no reason to: it is in memory anyhow, and the reactor sends
    /// the rest of it; it goes to a file only where the worker's memory is used up.
    ///
    /// The lock is given up for disk and client alone: other threads of the application may call `write` meanwhile, or
    /// the request may end.
    ///
    /// - Throws: `PythonError` when a signal handler raised.
    @inline(__always)
    func makeRoom(_ gil: inout GIL) throws(PythonError) {
        if mayBePending { try makeRoomNow(&gil) }
    }

    @inline(never)
    private func makeRoomNow(_ gil: inout GIL) throws(PythonError) {
        guard let mine = connection else { return }
        let waiting = mine.pendingMemoryCount
        guard waiting > 0 else {
            mayBePending = false
            return
        }
        if mine.isMemoryExceeded, waiting > Connection.copyLimit {
            _ = spill(mine, keeping: 0, &gil)
        } else if waiting > bufferLimit, writer.wantsMore {
            _ = spill(mine, keeping: bufferLimit / 2, &gil)
        }
        guard connection === mine, writer.wantsMore, mine.pendingMemoryCount > bufferLimit else { return }
        try waitForClient(on: mine, &gil) { writer.wantsMore && mine.pendingMemoryCount > bufferLimit / 2 }
    }

    /// Moves what waits to a file, and sends what the client takes by now.
    private func spill(_ mine: Connection, keeping: Int, _ gil: inout GIL) -> Bool {
        guard spoolLimit > 0 else { return false }
        var releases: [UnsafeMutableRawPointer] = []
        let isDone = gil.released { mine.spill(keeping: keeping, limit: spoolLimit, releasing: &releases) }
        if !releases.isEmpty { gil.release(owners: releases) }
        if isDone, connection === mine, !writer.isLost { flush(mine, &gil) }
        return isDone
    }

    /// Waits until all that was handed over has left, or the client is given up.
    ///
    /// - Throws: `PythonError` when a signal handler raised.
    func sendAllPending(_ gil: inout GIL) throws(PythonError) {
        guard let mine = connection else { return }
        mine.stopDeferring()
        flush(mine, &gil)
        try waitForClient(on: mine, &gil) { mine.pendingOutputCount > 0 }
    }

    /// Waits for as long as `isWanted` says, the request is under way, and the client is not lost.
    private func waitForClient(
        on mine: Connection, _ gil: inout GIL, while isWanted: () -> Bool
    ) throws(PythonError) {
        var unsent = mine.unsentByteCount
        let began = Clock.now()
        var deadline = began + writeTimeout
        guard connection === mine, isWanted() else { return }
        clientWaits.clientWait(since: began)
        // Where the request has ended meanwhile, what is said there is another's.
        defer { if connection === mine { clientWaits.clientWait(since: nil) } }
        while connection === mine, isWanted() {
            let start = Clock.now()
            mine.noteClientWait(began: start)
            let isWritable = gil.released { mine.waitUntilWritable(milliseconds: Self.waitSlice) }
            let end = Clock.now()
            mine.noteClientWait(ended: end)
            clientWaits.noteClientWait(end - start)
            try gil.checkSignals()
            guard connection === mine, isWanted() else { return }
            if isWritable { flush(mine, &gil) }
            guard !writer.isLost else { return }
            guard writeTimeout > 0, Clock.now() >= deadline else { continue }
            // As the reactor does it for a response that is made (`Reactor.expire`).
            let left = mine.unsentByteCount
            guard left <= unsent - Timeouts.progress else { return lose(&gil) }
            unsent = left
            deadline = Clock.now() + writeTimeout
        }
    }

    /// Milliseconds between two looks after signals and the time.
    private static let waitSlice: Int32 = 1000
}
