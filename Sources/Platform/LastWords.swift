internal import Synchronization

/// What a process still says before it ends at once, to a descriptor that may take nothing any more: a full pipe, a
/// terminal that was stopped, a file on a server that does not answer.
///
/// No flag keeps every such write from blocking. O_NONBLOCK is out: the descriptor is shared with other processes, the
/// flag would be too, and it does nothing for files. So another thread writes, and is left where it is when it takes
/// too long.
public enum LastWords {
    /// Writes the text, and returns when that is done, has failed, or the time is over. The write may still go on then.
    ///
    /// - Parameter limit: nanoseconds.
    /// - Returns: whether the text was written.
    @discardableResult
    public static func write(_ text: String, to descriptor: Descriptor, within limit: Nanoseconds) -> Bool {
        let writing = Writing()
        do throws(SystemError) {
            try Thread.start(name: "last words") { writing.run(text, descriptor) }
        } catch {
            return false
        }
        let end = Clock.now() + limit
        while true {
            let now = Clock.now()
            let state = writing.state.load(ordering: .acquiring)
            guard state == Writing.pending, now < end else { return state == Writing.written }
            // It returns early for a signal, or for no reason.
            Futex.wait(writing.state, while: Writing.pending, timeout: end - now)
        }
    }

    private final class Writing: Sendable {
        static let pending: UInt32 = 0
        static let written: UInt32 = 1
        static let failed: UInt32 = 2

        let state = Atomic<UInt32>(pending)

        func run(_ text: String, _ descriptor: Descriptor) {
            var text = text
            var isWritten = false
            text.withUTF8 { bytes in
                do throws(SystemError) {
                    try descriptor.writeAll(UnsafeRawBufferPointer(bytes))
                    isWritten = true
                } catch {
                    isWritten = false
                }
            }
            state.store(isWritten ? Self.written : Self.failed, ordering: .releasing)
            Futex.wake(state)
        }
    }
}
