internal import Platform
internal import Synchronization

/// Part of a file on its way to a socket.
///
/// A small part that the system has in memory is sent on the spot. The rest is for the disk's thread, a piece at a
/// time: meanwhile nobody else sends on that connection. Where that thread is busy, large parts that are in memory do
/// not wait for it either.
///
/// Whoever has the connection's output touches it; the disk's thread, while it is there, what `job` says.
final class FilePart {
    /// What the bytes are in.
    enum Source {
        /// The descriptor is ours, and closed at the end.
        case owned(Descriptor)
        case spool(SpoolFile)

        var descriptor: Descriptor {
            switch self {
            case .owned(let file): file
            case .spool(let file): file.descriptor
            }
        }
    }

    private let source: Source
    private(set) var offset: Int
    /// Bytes left, those included that the disk's thread sends just now.
    private(set) var count: Int
    private var job: FileSend?
    /// What the system was asked to have in memory. The disk's thread touches it, one job after the other.
    fileprivate var window: ReadAheadWindow
    /// Who closes an owned file: where it is nil, who gives this up.
    private let spool: Spool?

    init(_ source: Source, offset: Int, count: Int, spool: Spool?) {
        self.source = source
        self.offset = offset
        self.count = count
        self.spool = spool
        window = ReadAheadWindow(from: offset)
        if case .spool(let file) = source { file.lend() }
        if count > Self.pieceSize { source.descriptor.expectExplicitReadAhead() }
    }

    deinit {
        guard case .owned(let file) = source else { return }
        if let spool { spool.close(file) } else { file.close() }
    }

    /// Makes it longer by bytes that were written behind it. False where they are not behind it.
    func extend(by bytes: Int, in file: SpoolFile, at offset: Int) -> Bool {
        guard case .spool(let mine) = source, mine === file, self.offset + count == offset else { return false }
        count += bytes
        return true
    }

    enum Progress {
        /// So many bytes left; 0 means that the file has ended early.
        case sent(Int)
        /// The socket takes no more.
        case full
        /// The next bytes have to be read from the disk.
        case needsDisk
        /// They are being read.
        case atDisk
    }

    /// Sends what needs no wait, some of it.
    ///
    /// - Throws: `SystemError` when the connection is lost, or the disk failed.
    func send(to channel: Channel) throws(SystemError) -> Progress {
        if let job {
            guard let result = job.result else { return .atDisk }
            self.job = nil
            let sent = try result.get()
            offset += sent.count
            count -= sent.count
            // The end of the file, unless it was the socket that took nothing.
            if sent.count > 0 || !sent.isFull { return .sent(sent.count) }
        }
        if count > Self.pieceSize, let spool, spool.isIdle {
            // No copy, and nobody asks whether it is in memory: whoever does cannot be sure.
            return channel.waitUntilWritable(milliseconds: 0) ? .needsDisk : .full
        }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: min(count, Self.pieceSize), alignment: 64)
        defer { room.deallocate() }
        guard count > 0, case .processed(let size) = try source.descriptor.readCached(into: room, at: offset) else {
            // With a full socket the disk would be read in vain.
            return channel.waitUntilWritable(milliseconds: 0) ? .needsDisk : .full
        }
        if size == 0 { return .sent(0) }
        guard case .processed(let sent) = try channel.send(UnsafeRawBufferPointer(rebasing: room[..<size])) else {
            return .full
        }
        offset += sent
        count -= sent
        return .sent(sent)
    }

    /// After `.needsDisk`: the job to be submitted.
    func makeJob(on connection: Connection) -> FileSend {
        let job = FileSend(
            source: source, offset: offset, count: min(count, Self.jobSize), last: offset + count, keeping: self,
            for: connection)
        self.job = job
        return job
    }

    /// Bytes that are read from the system's memory at a time.
    private static var pieceSize: Int { 131_072 }
    /// The most bytes that the disk's thread sends before others have the connection.
    private static var jobSize: Int { 8 << 20 }
}

/// A piece of a file that has to be read from the disk, on its way to the socket (`sendfile(2)`).
///
/// It is sent in small pieces, and the disk's thread offers the CPU to others between them: a call of the system is not
/// interrupted, and where the reactor has only this CPU it would wait for so long with everybody that it serves.
final class FileSend: DiskJob, @unchecked Sendable {
    // `@unchecked`: `outcome` is written before `isDone`, and read after it.

    /// Bytes that are sent by one call of the system.
    static let pieceSize = 524_288
    /// The same while others have requests that come one by one.
    static let smallPieceSize = TurnBudget.small
    /// Nanoseconds after which no other piece is begun: others look after the connection then.
    static let time: Nanoseconds = .milliseconds(2)

    private let file: Descriptor
    private let offset: Int
    private let count: Int
    /// Behind the last byte of the part, of which this job has the first ones.
    private let last: Int
    private let channel: Channel
    private let spool: Spool
    private let connection: SendableConnection
    /// Keeps the file open.
    private var part: FilePart?
    private var outcome: Result<(count: Int, isFull: Bool), SystemError> = .success((0, false))
    private let isDone = Atomic<Bool>(false)

    fileprivate init(
        source: FilePart.Source, offset: Int, count: Int, last: Int, keeping part: FilePart, for connection: Connection
    ) {
        file = source.descriptor
        self.offset = offset
        self.count = count
        self.last = last
        self.part = part
        channel = connection.channel
        spool = connection.spool
        self.connection = SendableConnection(connection: connection)
    }

    /// What was sent, and whether the socket took no more; nil before it is done.
    var result: Result<(count: Int, isFull: Bool), SystemError>? {
        isDone.load(ordering: .acquiring) ? outcome : nil
    }

    func run() {
        do throws(SystemError) {
            outcome = .success(try send())
        } catch {
            outcome = .failure(error)
        }
        connection.connection.isSocketAtDisk.store(false, ordering: .releasing)
        // It refers to this job, too.
        let part = part.take()
        isDone.store(true, ordering: .releasing)
        withExtendedLifetime(part) { spool.giveBack(connection) }
    }

    /// Sends piece by piece, until the socket is full, the time is up, or somebody else waits for the disk.
    private func send() throws(SystemError) -> (count: Int, isFull: Bool) {
        let end = Clock.now() + Self.time
        var done = 0
        while true {
            let size = min(count - done, spool.hasInteractiveClients ? Self.smallPieceSize : Self.pieceSize)
            part?.window.prepare(file, through: offset + done + size, of: last)
            guard case .processed(let sent) = try channel.sendFile(file, from: offset + done, count: size) else {
                return (done, true)
            }
            done += sent
            // Less than was asked for: the socket is full, or the file has ended.
            if sent < size || done == count || spool.isAwaited || Clock.now() >= end { return (done, false) }
            Thread.yield()
        }
    }
}
