internal import Platform
internal import Synchronization
internal import Telemetry

/// Notes of one thread for the access log. The thread adds, and the log's thread takes them away and makes lines of
/// them.
final class AccessLogPage: @unchecked Sendable {
    // `@unchecked`: everything but the bell is for who holds the lock.
    private let word = LockWord()
    private var text = TextBuffer(capacity: 16_384)
    /// Bytes of the lines that will be made of the notes, about.
    private var weight = 0
    private var notes = 0
    private var lost = 0
    /// Bytes of a line that are in no note.
    private let literals: Int
    /// The log's thread sleeps until somebody has a note.
    private var isAwaited = false
    private let bell: AccessLogBell

    /// Bytes of lines from which on notes are fetched at once, and not when it is time.
    static let fetchSize = 131_072
    /// Bytes of lines that may wait. A log that takes no more must cost no more either.
    static let limit = 1 << 20

    /// - Parameter literals: bytes of a line that are in no note.
    init(bell: AccessLogBell, literals: Int) {
        self.bell = bell
        self.literals = literals
    }

    /// Adds a note, or counts it as lost where too many wait.
    @inline(__always)
    func add(_ write: (inout TextBuffer) -> Void) {
        word.lock()
        let before = weight
        if before < Self.limit {
            let size = text.count
            write(&text)
            weight = before &+ (text.count &- size) &+ literals
            notes &+= 1
        } else {
            lost &+= 1
        }
        let rings = isAwaited || before < Self.fetchSize && weight >= Self.fetchSize
        isAwaited = false
        word.unlock()
        if rings { bell.ring() }
    }

    /// Takes what is there, for an empty buffer.
    ///
    /// - Returns: how many were lost.
    func take(into buffer: inout TextBuffer) -> Int {
        buffer.removeAll()
        word.lock()
        defer { word.unlock() }
        swap(&buffer, &text)
        weight = 0
        notes = 0
        defer { lost = 0 }
        return lost
    }

    /// How many notes nobody has taken, and how many were lost.
    var leftCount: Int {
        word.lock()
        defer { word.unlock() }
        return notes &+ lost
    }

    /// Has the bell ring with the next note. False where there is one already.
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
