public import Platform
internal import Synchronization
public import Telemetry

/// A worker's access log: pages that its threads write notes into, and a thread that makes lines of these and puts them
/// into the file.
///
/// Nobody but that thread ever makes a line, or waits for the file. It sleeps until there is a note, writes its line,
/// and then looks at the pages ten times a second, or when one of them fills, until there is nothing more. It never
/// needs Python's lock.
public final class AccessLog: @unchecked Sendable {
    // `@unchecked`: `output`, `waiting`, `notes` and `maker` are for the log's thread alone; `pages` is complete before
    // it runs.
    let needs: AccessLogNeeds
    private var maker: AccessLogLineMaker
    private let bell = AccessLogBell()
    private var pages: [AccessLogPage] = []
    private var output: LogOutput
    /// Lines that are not written yet.
    private var waiting = TextBuffer(capacity: 16_384)
    /// What was taken from a page.
    private var notes = TextBuffer(capacity: 16_384)
    /// Lines that were lost since the last one was written.
    private var lost = 0

    /// What there is to say of lost lines, for whoever can: their number, and why.
    private let reportedCount = Atomic<Int>(0)
    private let reportedCause = Atomic<Int32>(0)
    /// Flushes that somebody waits for, and those that are done.
    private let wantedFlushes = Atomic<UInt32>(0)
    private let doneFlushes = Atomic<UInt32>(0)
    /// Lines that the file did not take, and the error that is the cause: 0 while it takes them.
    private let unwrittenCount = Atomic<Int>(0)
    private let unwrittenCause = Atomic<Int32>(0)
    private let isStopping = Atomic(false)
    /// Bytes written, so that who waits for a flush sees whether it gets on.
    private let writtenCount = Atomic<UInt64>(0)

    /// How long lines may wait for each other.
    private static let pause = Nanoseconds.milliseconds(100)
    /// Between two attempts at a file that fails.
    private static let patience = Nanoseconds.milliseconds(500)

    /// - Parameters:
    ///   - mount: where the application is mounted: paths are told below it.
    ///   - descriptor: of the file, which must stay open. It may be replaced (`dup2`) at any time.
    public init(format: AccessLogFormat, isJSON: Bool, mount: String, descriptor: Descriptor) {
        needs = AccessLogNeeds(format)
        maker = AccessLogLineMaker(format, isJSON: isJSON, mount: mount)
        output = LogOutput(descriptor)
    }

    /// A page for one thread. Before `start`.
    func makePage() -> AccessLogPage {
        let page = AccessLogPage(bell: bell, literals: needs.literals)
        pages.append(page)
        return page
    }

    /// - Throws: `SystemError` when the system gives no thread.
    func start() throws(SystemError) {
        try Thread.start(name: "access log") { [self] in run() }
    }

    /// Ends the thread, which may take a moment. What the log does not take at once is lost.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        bell.ring()
    }

    /// Whether there is something to say of lost lines.
    var hasReport: Bool { reportedCount.load(ordering: .relaxed) > 0 }

    /// How many lines were lost, and the error that was the cause, or 0: once, when lines get through again.
    func takeReport() -> (count: Int, cause: Int32)? {
        guard reportedCount.load(ordering: .relaxed) > 0 else { return nil }
        let count = reportedCount.exchange(0, ordering: .acquiring)
        return count > 0 ? (count, reportedCause.load(ordering: .relaxed)) : nil
    }

    /// What is lost when the process ends now: how many lines, and the error that is the cause, or 0. After `flush`.
    func takeUnwritten() -> (count: Int, cause: Int32)? {
        let count = pages.reduce(unwrittenCount.load(ordering: .acquiring)) { $0 + $1.leftCount }
        return count > 0 ? (count, unwrittenCause.load(ordering: .relaxed)) : nil
    }

    /// Waits until the lines there are have been written: before the process ends. A log that does not take them is
    /// given a quarter of a second.
    func flush() {
        let wanted = wantedFlushes.wrappingAdd(1, ordering: .releasing).newValue
        bell.ring()
        let start = Clock.now()
        var (seen, progressed) = (writtenCount.load(ordering: .relaxed), start)
        while true {
            let done = doneFlushes.load(ordering: .acquiring)
            if Int32(bitPattern: done &- wanted) >= 0 { return }
            let now = Clock.now()
            let written = writtenCount.load(ordering: .relaxed)
            if written != seen { (seen, progressed) = (written, now) }
            if now - progressed > .milliseconds(250) || now - start > .seconds(2) { return }
            Futex.wait(doneFlushes, while: done, timeout: .milliseconds(20))
        }
    }

    // MARK: The log's thread

    private func run() {
        while true {
            // In this order: whoever stops it rings afterwards.
            let seen = bell.count
            if isStopping.load(ordering: .acquiring) { return }
            let wanted = wantedFlushes.load(ordering: .acquiring)
            let hadLines = gather()
            let isWritten = write()
            if !isWritten {
                unwrittenCause.store(output.lastFailure, ordering: .relaxed)
                unwrittenCount.store(waiting.bytes.count { $0 == 0x0A } + lost, ordering: .releasing)
            } else if unwrittenCount.load(ordering: .relaxed) != 0 {
                unwrittenCount.store(lost, ordering: .releasing)
            }
            if isWritten, doneFlushes.load(ordering: .relaxed) != wanted {
                doneFlushes.store(wanted, ordering: .releasing)
                Futex.wake(doneFlushes, count: .max)
            }
            if !isWritten {
                // It fails, or is full: more lines make it no better.
                output.waitForRoom(Self.patience)
            } else if hadLines || !pages.allSatisfy({ $0.await() }) {
                bell.wait(since: seen, timeout: Self.pause)
            } else {
                bell.wait(since: seen, timeout: nil)
            }
        }
    }

    /// Makes the lines of all threads' notes, unless those before them still wait.
    private func gather() -> Bool {
        guard waiting.count == 0 else { return true }
        for page in pages {
            lost &+= page.take(into: &notes)
            maker.write(linesOf: notes.bytes, to: &waiting)
        }
        return waiting.count > 0 || lost > 0
    }

    /// Writes what waits, as far as it goes. False when something is left.
    private func write() -> Bool {
        let count = output.write(waiting.bytes)
        if count > 0 {
            waiting.removeFirst(count)
            writtenCount.wrappingAdd(UInt64(count), ordering: .relaxed)
        }
        guard waiting.count == 0 else { return false }
        if lost > 0, count > 0 {
            reportedCause.store(output.lastFailure, ordering: .relaxed)
            reportedCount.wrappingAdd(lost, ordering: .releasing)
            lost = 0
        }
        return true
    }
}
