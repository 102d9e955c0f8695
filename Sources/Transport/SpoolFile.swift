public import Platform

/// Bytes too many for memory, in an unnamed file that vanishes with its last user: a request's body, or what of a
/// response waits.
///
/// One thread at a time writes, and hands it over afterwards. What is written stays as it is, so that any thread may
/// read it.
public final class SpoolFile: @unchecked Sendable {
    // `@unchecked`: see above; the spool's lock, or that of the connection's output, stands between two owners.

    private let spool: Spool
    private var file: Descriptor?
    /// Bytes written so far.
    public private(set) var count = 0
    /// Somebody may have its bytes when this object is gone: another worker, or the kernel on behalf of a client.
    private var isLent = false
    /// Forks before it was made: whoever was forked later has it too.
    private let forks = Process.forksBegun

    init(in spool: Spool) {
        self.spool = spool
    }

    /// One that another worker wrote, with so many bytes before its offset. It is closed in the end.
    init(_ file: Descriptor, count: Int, in spool: Spool) {
        self.spool = spool
        self.file = file
        self.count = count
        isLent = true
        spool.allowance.note(count)
    }

    deinit {
        spool.allowance.giveBack(count)
        guard let file else { return }
        if isLent || Process.forksBegun != forks {
            spool.close(file)
        } else {
            spool.discard(file, size: count)
        }
    }

    /// It is closed in the end, and not cut off before: it goes to another worker, which reads it when this object is
    /// gone; or bytes of it are sent with `sendfile(2)`, and the socket's queue refers to the file's own memory until
    /// the client has taken them. To cut a file off writes zeros into that memory.
    func lend() { isLent = true }

    /// To read from at any offset below `count`. There is one once something was written.
    public var descriptor: Descriptor {
        guard let file else { preconditionFailure("a spool file in which nothing was written") }
        return file
    }

    /// Writes behind what is there. Waits for the disk.
    ///
    /// - Throws: `SpoolFault`; then part of the bytes may be in the file, which is of no use any more.
    func write(_ bytes: UnsafeRawBufferPointer) throws(SpoolFault) {
        guard bytes.count > 0 else { return }
        guard spool.allowance.take(bytes.count) else { throw .limitReached }
        count += bytes.count
        do throws(SystemError) {
            let target: Descriptor
            if let file {
                target = file
            } else {
                target = try Descriptor.unnamedFile(in: spool.directory)
                file = target
            }
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(spool.hasInteractiveClients ? Self.smallPiece : rest.count)
                try target.writeAll(UnsafeRawBufferPointer(rebasing: piece))
                rest = rest.dropFirst(piece.count)
                // Without it, whoever waits for this CPU waits for the rest, too.
                if !rest.isEmpty { Thread.yield() }
            }
        } catch {
            throw .system(error)
        }
    }

    /// Bytes that are written at a time while others have requests that come one by one: some 20 µs.
    private static let smallPiece = TurnBudget.small
}

/// Why bytes are not in a spool file.
enum SpoolFault: Error, Equatable {
    /// The files of all workers have as many as they may (`spool_limit`).
    case limitReached
    case system(SystemError)
}

/// A block of a body on its way to its file.
final class SpoolWrite: DiskJob, @unchecked Sendable {
    // `@unchecked`: the disk's thread has it until it gives the connection back.

    private let spool: Spool
    private let file: SpoolFile
    /// Whoever has the connection has it again afterwards.
    let block: ByteStore
    private let connection: SendableConnection
    /// To be looked at when the connection has come back.
    private(set) var fault: SpoolFault?

    init(_ block: ByteStore, to file: SpoolFile, for connection: Connection, in spool: Spool) {
        self.spool = spool
        self.file = file
        self.block = block
        self.connection = SendableConnection(connection: connection)
    }

    var byteCount: Int { block.count }

    func run() {
        do throws(SpoolFault) {
            try file.write(block.bytes)
        } catch {
            fault = error
        }
        spool.giveBack(connection)
    }
}
