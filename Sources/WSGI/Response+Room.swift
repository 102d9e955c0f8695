internal import HTTPServer
internal import Platform
internal import PythonBridge
internal import Transport

/// Clients that take a response more slowly than its application makes it.
extension Response {
    /// Holds the application up while more waits for the client than should. One large last block is no reason to: it
    /// is in memory anyhow, and the reactor sends the rest of it.
    ///
    /// The lock is given up for the wait alone: other threads of the application may call `write` meanwhile, or the
    /// request may end.
    ///
    /// - Throws: `PythonError` when a signal handler raised.
    func makeRoom(_ gil: inout GIL) throws(PythonError) {
        guard let mine = connection, mine.pendingOutputCount > bufferLimit, writer.wantsMore else { return }
        try waitForClient(on: mine, until: bufferLimit / 2, &gil) { writer.wantsMore }
    }

    /// Waits until all that was handed over has left, or the client is given up.
    ///
    /// - Throws: `PythonError` when a signal handler raised.
    func sendAllPending(_ gil: inout GIL) throws(PythonError) {
        guard let mine = connection else { return }
        mine.stopDeferring()
        flush(mine, &gil)
        try waitForClient(on: mine, until: 0, &gil) { true }
    }

    /// Waits until `limit` bytes at most wait for the client, the request or `isWanted` is over, or the client is lost.
    private func waitForClient(
        on mine: Connection, until limit: Int, _ gil: inout GIL, while isWanted: () -> Bool
    ) throws(PythonError) {
        var unsent = mine.unsentByteCount
        var deadline = Clock.now() + writeTimeout
        while connection === mine, isWanted(), mine.pendingOutputCount > limit {
            let start = Clock.now()
            let isWritable = gil.released { mine.waitUntilWritable(milliseconds: Self.waitSlice) }
            noteClientWait(Clock.now() - start)
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
