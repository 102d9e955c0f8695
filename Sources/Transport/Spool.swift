internal import Platform
internal import Synchronization

/// Where a worker's files are made, who waits for the disk, and who comes back from it.
final class Spool: Sendable {
    let directory: String
    let allowance: SpoolAllowance
    private let thread = DiskThread()
    private let waker: Waker
    private let returned = ReturnedConnections()
    private let interactive = Atomic<Bool>(false)

    /// - Parameters:
    ///   - directory: where files are made (`tmp_upload_dir`).
    ///   - waker: wakes whoever takes connections back.
    init(directory: String, allowance: SpoolAllowance, waker: Waker) {
        self.directory = directory
        self.allowance = allowance
        self.waker = waker
    }

    /// Whether the worker has clients whose requests come one by one: then jobs use the CPU in small pieces. Whoever
    /// has the baton says so, before each round of turns.
    var hasInteractiveClients: Bool {
        get { interactive.load(ordering: .relaxed) }
        set { interactive.store(newValue, ordering: .relaxed) }
    }

    /// Each connection has one job at a time at most, and so has each file that is closed: that bounds the jobs.
    func submit(_ job: any DiskJob) { thread.submit(job) }

    /// Whether a job would begin at once.
    var isIdle: Bool { thread.isIdle }

    /// For a job under way: whether another waits.
    var isAwaited: Bool { thread.isAwaited }

    /// Closes a file, of which this process perhaps has the last name: freeing its blocks takes time.
    func close(_ file: Descriptor) { submit(CloseFile(file)) }

    /// Empties and closes a file of ours.
    ///
    /// - Parameter size: its bytes.
    func discard(_ file: Descriptor, size: Int) { submit(DiscardFile(file, size: size, in: self)) }

    /// For the thread of the disk: a connection's job is done.
    func giveBack(_ connection: SendableConnection) {
        returned.put(connection)
        waker.wake()
    }

    /// For the thread of the disk: something is done that nobody has to be given back for.
    func announce() { waker.wake() }

    /// Whether there are connections whose job is done.
    @inline(__always)
    var hasReturned: Bool { !returned.isEmpty }

    /// The connections whose job is done, since the last call. For whoever has the baton.
    @inline(__always)
    func takeReturned() -> [SendableConnection] { returned.takeAll() }

    /// Waits for all jobs. What is submitted afterwards is done on the spot.
    func stop() { thread.stop() }

    private final class CloseFile: DiskJob {
        private let file: Descriptor
        init(_ file: Descriptor) { self.file = file }
        func run() { file.close() }
    }
}

/// A connection on its way to the disk's thread and back, which does nothing but carry it.
struct SendableConnection: @unchecked Sendable {
    // `@unchecked`: only whoever has the baton looks at it, but for `isSocketAtDisk`, which is atomic.
    let connection: Connection
}
