public import Platform

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

/// A body too large for memory, in an unnamed file that vanishes with the last user.
public final class SpoolFile {
    public let descriptor: Descriptor
    /// Bytes appended so far.
    public private(set) var count = 0
    /// The last of them, which are not in the file yet: a chunk may be a byte long, and a system call for each would
    /// let a client keep the worker busy for the price of its line.
    private var waiting = ByteStore(capacity: SpoolFile.gatheringLimit)

    /// The most bytes that wait to be written together.
    static let gatheringLimit = 65_536

    convenience init(in directory: String) throws(SystemError) {
        self.init(try Descriptor.unnamedFile(in: directory))
    }

    /// Takes the descriptor of a file, empty or with so many bytes before its offset, and closes it in the end.
    init(_ descriptor: Descriptor, count: Int = 0) {
        self.descriptor = descriptor
        self.count = count
    }

    deinit {
        descriptor.close()
    }

    /// - Throws: `SystemError` when the file cannot be written. Part of these bytes, or of earlier ones, is lost then.
    func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        if waiting.count + bytes.count > Self.gatheringLimit { try writeWaiting() }
        if bytes.count >= Self.gatheringLimit {
            try descriptor.writeAll(bytes)
        } else {
            waiting.append(bytes)
        }
        count += bytes.count
    }

    /// Nothing more comes: all of it is in the file afterwards.
    ///
    /// - Throws: as `append`.
    func finish() throws(SystemError) {
        try writeWaiting()
        waiting = ByteStore()
    }

    private func writeWaiting() throws(SystemError) {
        try descriptor.writeAll(waiting.bytes)
        waiting.truncate(0)
    }
}

/// Collects a body while it arrives: in memory up to a limit, then in a file.
struct BodySink {
    private enum Storage {
        case empty
        case memory(ByteStore)
        case file(SpoolFile)
    }

    private var storage = Storage.empty
    private(set) var count = 0
    private let limits: BodyLimits

    init(limits: BodyLimits) {
        self.limits = limits
    }

    /// Goes on with what another worker collected.
    init(_ body: RequestBody, limits: BodyLimits) {
        self.limits = limits
        count = body.count ?? 0
        switch body {
        case .memory(let store): storage = .memory(store)
        case .file(let file): storage = .file(file)
        case .none, .inline, .stream: storage = .empty
        }
    }

    /// - Throws: `SystemError` when the file cannot be written.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        guard bytes.count > 0 else { return }
        count += bytes.count
        switch storage {
        case .empty where count <= limits.memory:
            storage = .memory(ByteStore(bytes))
        case .memory(let store) where count <= limits.memory:
            store.append(bytes)
        case .empty:
            storage = .file(try spool(bytes, after: nil))
        case .memory(let store):
            storage = .file(try spool(bytes, after: store))
        case .file(let file):
            try file.append(bytes)
        }
    }

    /// The body is complete.
    ///
    /// - Throws: as `append`.
    func finish() throws(SystemError) {
        if case .file(let file) = storage { try file.finish() }
    }

    private func spool(_ bytes: UnsafeRawBufferPointer, after store: ByteStore?) throws(SystemError) -> SpoolFile {
        let file = try SpoolFile(in: limits.spoolDirectory)
        if let store { try file.append(store.bytes) }
        try file.append(bytes)
        return file
    }

    var body: RequestBody {
        switch storage {
        case .empty: .none
        case .memory(let store): .memory(store)
        case .file(let file): .file(file)
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
