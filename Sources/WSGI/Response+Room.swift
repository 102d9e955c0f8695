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
        var unsent = mine.unsentByteCount
        var deadline = Clock.now() + writeTimeout
        while connection === mine, writer.wantsMore, mine.pendingOutputCount > bufferLimit / 2 {
            let start = Clock.now()
            let isWritable = gil.released { mine.waitUntilWritable(milliseconds: Self.waitSlice) }
            noteClientWait(Clock.now() - start)
            try gil.checkSignals()
            guard connection === mine, writer.wantsMore else { return }
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
