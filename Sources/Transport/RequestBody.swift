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
    /// Bytes written so far.
    public private(set) var count = 0

    init(in directory: String) throws(SystemError) {
        descriptor = try Descriptor.unnamedFile(in: directory)
    }

    deinit {
        descriptor.close()
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        try descriptor.writeAll(bytes)
        count += bytes.count
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
    public var memory = 65_536
    /// Where the file is made (`tmp_upload_dir`).
    public var spoolDirectory = "/tmp"

    public init() {}
}
