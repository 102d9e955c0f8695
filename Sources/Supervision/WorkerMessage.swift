/// What a worker tells the master, as bytes: one for the kind, four for its process id (the lowest first), and the
/// rest.
public struct WorkerMessage: Equatable, Sendable {
    public enum Kind: UInt8, Sendable {
        /// The application is loaded, and requests are answered.
        case ready = 1
        /// The worker wants to be replaced: its share of requests, of time or of memory is used up. It serves until it
        /// is told to leave. The payload says why, in words for the log.
        case wantsToLeave = 2
        /// The application is loaded, and workers can be forked from this process, which is none itself.
        case preloaded = 3
        /// The operator asked for something that a signal to the master does (`admin_bind`), and the worker may not
        /// send it. The payload is the signal's number.
        case order = 4
        /// The worker is warm, and could become what the next workers are forked from.
        case offersMold = 5
        /// It has: it serves nobody, and workers can be forked from it.
        case becameMold = 6
        /// Nothing can be done in the worker any more: it is to be ended. The payload says why, in words for the log.
        case hangs = 7
    }

    public let kind: Kind
    public let pid: Int32
    public let payload: [UInt8]

    public init(_ kind: Kind, pid: Int32, payload: [UInt8] = []) {
        self.kind = kind
        self.pid = pid
        self.payload = payload
    }

    /// Nil for bytes that are no message. They come from a worker, and an application there can write anywhere.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count >= 5, let kind = Kind(rawValue: bytes[0]) else { return nil }
        self.kind = kind
        pid = Int32(bitPattern: (1...4).reduce(0) { $0 | UInt32(bytes[$1]) << (8 * UInt32($1 - 1)) })
        payload = Array(bytes[5...])
    }

    public var bytes: [UInt8] {
        let number = UInt32(bitPattern: pid)
        return [kind.rawValue] + (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) } + payload
    }
}
