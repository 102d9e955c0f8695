internal import Platform

/// What the master does around each of its forks.
extension Arbiter {
    /// Forks this process.
    ///
    /// Signals are held back until the child has put the master's handlers away: a signal to the young child would
    /// otherwise run such a handler, and end up in the master's pipe.
    ///
    /// - Parameter settle: what the child gives up or takes on before signals come through. It has the descriptors of
    ///   the watch for files still.
    /// - Throws: `SystemError` when there is no child.
    func fork(_ signals: SignalPipe, settle: () -> Void) throws(SystemError) -> ForkResult {
        host.beforeFork()
        let mask = SignalMask.blockAll()
        let result: ForkResult
        do throws(SystemError) {
            result = try Process.fork()
        } catch {
            mask.restore()
            host.afterForkInParent()
            throw error
        }
        switch result {
        case .parent:
            mask.restore()
            host.afterForkInParent()
        case .child:
            signals.abandonInChild()
            settle()
            reloadWatch?.close()
            mask.restore()
            host.afterForkInChild()
        }
        return result
    }
}
