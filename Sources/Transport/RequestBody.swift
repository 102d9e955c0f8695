internal import Platform

/// A request's body, as it is handed to the application: complete, but for a stream.
public enum RequestBody {
    case none
    /// Within the request's own bytes (`Workbench.request`), which the next request overwrites.
    case inline(offset: Int, count: Int)
    case memory(ByteStore)
    case file(SpoolFile)
    /// On its way, and read from the socket.
    case stream(BodyStream)

    /// Bytes; nil when that is not known yet.
    public var count: Int? {
        switch self {
        case .none: 0
        case .stream: nil
        case .inline(_, let count): count
        case .memory(let store): store.count
        case .file(let file): file.count
        }
    }
}

/// Collects a body while it arrives: in memory up to a limit, then in a file, to which somebody else brings it.
struct BodySink {
    private enum Storage {
        case empty
        case memory(ByteStore)
        /// The file, and the bytes behind it, which are not in it yet: a chunk may be a byte long, and a system call
        /// for each would let a client keep the worker busy for the price of its line.
        case file(SpoolFile, waiting: ByteStore)
    }

    private var storage = Storage.empty
    private(set) var count = 0

    /// The fewest bytes that are worth a write before the end.
    static let blockSize = 65_536
    /// As many as are written at a time where the client sends faster than that: the way to the disk's thread and back
    /// costs as much as the writing of 64 KiB.
    static let fastBlockSize = 1 << 20

    init() {}

    /// Goes on with what another worker collected.
    init(_ body: RequestBody) {
        count = body.count ?? 0
        switch body {
        case .memory(let store): storage = .memory(store)
        case .file(let file): storage = .file(file, waiting: ByteStore())
        case .none, .inline, .stream: storage = .empty
        }
    }

    /// - Parameters:
    ///   - memory: bytes that may stay in memory.
    ///   - spool: where the others go.
    mutating func append(_ bytes: UnsafeRawBufferPointer, memory: Int, spool: Spool) {
        guard bytes.count > 0 else { return }
        count += bytes.count
        switch storage {
        case .empty where count <= memory: storage = .memory(ByteStore(bytes))
        case .memory(let store) where count <= memory: store.append(bytes)
        case .empty: storage = .file(SpoolFile(in: spool), waiting: ByteStore(bytes))
        case .memory(let store):
            store.append(bytes)
            storage = .file(SpoolFile(in: spool), waiting: store)
        case .file(_, let waiting): waiting.append(bytes)
        }
    }

    /// Where bytes may be put that are written next, so that nobody copies them; nil for a body that is not in a file.
    func room(_ size: Int) -> UnsafeMutableRawBufferPointer? {
        guard case .file(_, let waiting) = storage else { return nil }
        return waiting.room(size)
    }

    /// So many bytes were put into the room.
    mutating func fill(_ size: Int) {
        guard case .file(_, let waiting) = storage else { preconditionFailure("room that nobody gave") }
        waiting.fill(size)
        count += size
    }

    /// Takes what is to be written next.
    ///
    /// - Parameter least: bytes that are worth a write.
    mutating func takeBlock(atLeast least: Int) -> (block: ByteStore, file: SpoolFile)? {
        guard case .file(let file, let waiting) = storage, waiting.count >= max(1, least) else { return nil }
        storage = .file(file, waiting: ByteStore())
        return (waiting, file)
    }

    /// Collects what comes next in the memory of a block that was written: memory that is new costs more than the copy
    /// of it.
    mutating func reuse(_ block: ByteStore) {
        guard case .file(let file, let waiting) = storage, waiting.count == 0 else { return }
        block.truncate(0)
        storage = .file(file, waiting: block)
    }

    /// Whether something of it is in memory that cannot stay there.
    ///
    /// - Parameter limit: bytes that can, of a body that is not in a file.
    func mustBeWritten(over limit: Int) -> Bool {
        switch storage {
        case .empty: false
        case .memory(let store): store.count > limit
        case .file(_, let waiting): waiting.count > 0
        }
    }

    /// Has what is in memory wait for a file.
    ///
    /// - Returns: whether there was none before.
    mutating func moveToFile(in spool: Spool) -> Bool {
        guard case .memory(let store) = storage else { return false }
        storage = .file(SpoolFile(in: spool), waiting: store)
        return true
    }

    /// A block that was all of it could not be written. Nothing came meanwhile.
    mutating func takeBack(_ block: ByteStore) { storage = .memory(block) }

    /// Keeps memory for what is there alone.
    mutating func shrink() {
        guard case .file(let file, let waiting) = storage else { return }
        storage = .file(file, waiting: waiting.shortened(to: waiting.count))
    }

    /// Bytes of memory.
    var memoryCount: Int {
        switch storage {
        case .empty: 0
        case .memory(let store): store.count
        case .file(_, let waiting): waiting.count
        }
    }

    /// Once it is complete, and nothing is left to be written.
    var body: RequestBody {
        switch storage {
        case .empty: .none
        case .memory(let store): .memory(store)
        case .file(let file, _): .file(file)
        }
    }
}

/// Where bodies are kept. How large they may be is the parser's to say (`RequestPolicy.limitRequestBody`).
public struct BodyLimits: Sendable {
    /// The most bytes kept in memory; larger bodies go to a file.
    public var memory: Int
    /// Where the file is made (`tmp_upload_dir`).
    public var spoolDirectory: String

    public init(memory: Int, spoolDirectory: String) {
        self.memory = memory
        self.spoolDirectory = spoolDirectory
    }
}
