internal import Platform
internal import Synchronization
internal import Telemetry

/// Lines of one thread that are on their way to the access log. The thread adds, and the log's thread takes them away.
final class AccessLogPage: @unchecked Sendable {
    // `@unchecked`: everything but the bell is for who holds the lock.
    private let word = LockWord()
    private var text = TextBuffer(capacity: 16_384)
    private var lost = 0
    /// The log's thread sleeps until somebody has a line.
    private var isAwaited = false
    private let bell: AccessLogBell

    /// Bytes from which on lines are fetched at once, and not when it is time.
    static let fetchSize = 65_536
    /// Bytes that may wait. A log that takes no more must cost no more either.
    static let limit = 1 << 20

    init(bell: AccessLogBell) { self.bell = bell }

    /// Adds a line, or counts it as lost where too many wait.
    @inline(__always)
    func add(_ write: (inout TextBuffer) -> Void) {
        word.lock()
        let before = text.count
        if before < Self.limit { write(&text) } else { lost &+= 1 }
        let rings = isAwaited || before < Self.fetchSize && text.count >= Self.fetchSize
        isAwaited = false
        word.unlock()
        if rings { bell.ring() }
    }

    /// Moves what is there behind what is in the buffer.
    ///
    /// - Returns: lines that were lost.
    func take(into buffer: inout TextBuffer) -> Int {
        word.lock()
        defer { word.unlock() }
        if buffer.count == 0 {
            swap(&buffer, &text)
        } else {
            buffer.append(text.bytes)
            text.removeAll()
        }
        defer { lost = 0 }
        return lost
    }

    /// Has the bell ring with the next line. False where there is one already.
    func await() -> Bool {
        word.lock()
        defer { word.unlock() }
        isAwaited = text.count == 0
        return isAwaited
    }
}

/// Wakes the log's thread.
final class AccessLogBell: Sendable {
    private let rung = Atomic<UInt32>(0)

    var count: UInt32 { rung.load(ordering: .acquiring) }

    func ring() {
        rung.wrappingAdd(1, ordering: .releasing)
        Futex.wake(rung)
    }

    /// Sleeps until it rings, if it has not rung since.
    func wait(since seen: UInt32, timeout: Nanoseconds?) { Futex.wait(rung, while: seen, timeout: timeout) }
}
