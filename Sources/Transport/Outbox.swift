internal import Platform

/// Bytes that the socket has not taken yet.
///
/// A run of bytes may belong to somebody else, who must be told when it is sent: `owner` is handed back then. Transport
/// does not know what it is.
struct Outbox {
    enum Segment {
        /// A copy of ours, of which the first `sent` bytes have left.
        case copy(ByteStore, sent: Int)
        /// Somebody else's bytes.
        case bytes(UnsafeRawBufferPointer, owner: UnsafeMutableRawPointer)
        /// Part of a file.
        case file(FilePart)
        /// What stood here is on its way to a file (`Spill`).
        case spilling(Int)
    }

    var segments: [Segment] = []
    /// Bytes waiting.
    private(set) var count = 0
    /// Those of them that are in memory.
    private(set) var memoryCount = 0 {
        didSet { budget?.change(.responses, by: memoryCount - oldValue) }
    }
    /// Where the bytes in memory are counted.
    let budget: MemoryBudget?
    /// What of the present response was moved out of memory.
    var spilled: SpoolFile?
    /// Why nothing more of it can be sent. The system tells of an error once, and the disk's thread of a job: who hears
    /// of it may be the reactor, which sends for a runner, and it is the runner's to know.
    private var failure: SystemError?

    init(budget: MemoryBudget? = nil) {
        self.budget = budget
    }

    /// Whether there is more in memory, of all connections, than there should be.
    var isBudgetExceeded: Bool { budget?.isExceeded ?? false }
    var isEmpty: Bool { segments.isEmpty }
    /// Runs that are sent one by one.
    var segmentCount: Int { segments.count }

    /// A copy grows up to this size, in bytes, before the next one is begun.
    private static let copySize = 65_536

    /// Queues a copy. Small ones are joined: an application may yield a great many blocks to a client that reads none,
    /// and each segment costs a system call and a place in the array.
    mutating func append(copying bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        count += bytes.count
        memoryCount += bytes.count
        if case .copy(let store, _) = segments.last, store.count + bytes.count <= Self.copySize {
            store.append(bytes)
        } else {
            segments.append(.copy(ByteStore(bytes), sent: 0))
        }
    }

    /// Queues bytes that stay where they are until `owner` comes back from `Reactor.takeReleases`, or from `flush`.
    mutating func append(_ bytes: UnsafeRawBufferPointer, owner: UnsafeMutableRawPointer) {
        segments.append(.bytes(bytes, owner: owner))
        count += bytes.count
        memoryCount += bytes.count
    }

    /// Queues part of a file.
    mutating func append(_ file: FilePart) {
        segments.append(.file(file))
        count += file.count
    }

    /// What `flush` throws when a file has fewer bytes than were promised of it: nobody but the server knows of that.
    static var fileEnded: SystemError { SystemError(.invalidArgument, call: "sendfile (the file has ended)") }

    /// How a turn ended.
    enum Flush {
        /// All is sent.
        case done
        /// The socket takes no more, or the disk's thread has it, or what comes next is on its way to a file.
        case full
        /// What comes next has to be read from the disk (`partForDisk`).
        case needsDisk
        /// It may take more, but it is the others' turn.
        case turnOver
    }

    /// Sends what the socket takes, for one turn. Owners whose bytes are all sent go to `releases`.
    ///
    /// - Parameter besideInteractive: there are others with requests that come one by one.
    /// - Throws: `SystemError` when the connection is lost, or a file ended before its time; from then on each time,
    ///   until what waits is given up (`discard`).
    mutating func flush(
        to channel: Channel, besideInteractive: Bool = false, releasing releases: inout [UnsafeMutableRawPointer]
    ) throws(SystemError) -> Flush {
        partForDisk = nil
        if let failure { throw failure }
        do throws(SystemError) {
            return try sendTurn(to: channel, besideInteractive: besideInteractive, releasing: &releases)
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func sendTurn(
        to channel: Channel, besideInteractive: Bool, releasing releases: inout [UnsafeMutableRawPointer]
    ) throws(SystemError) -> Flush {
        var budget = TurnBudget(bytes: TurnBudget.sent, besideInteractive: besideInteractive)
        while let segment = segments.first {
            let sent: Int
            switch segment {
            case .copy(let store, let before):
                let rest = UnsafeRawBufferPointer(rebasing: store.bytes[before...])
                guard case .processed(let size) = try channel.send(rest) else { return .full }
                sent = size
                count -= sent
                memoryCount -= sent
                if sent < rest.count {
                    segments[0] = .copy(store, sent: before + sent)
                } else {
                    segments.removeFirst()
                }
            case .bytes(let bytes, let owner):
                if bytes.count > 0 {
                    let piece = UnsafeRawBufferPointer(rebasing: bytes.prefix(budget.piece))
                    guard case .processed(let size) = try channel.send(piece) else { return .full }
                    sent = size
                } else {
                    sent = 0
                }
                count -= sent
                memoryCount -= sent
                if sent < bytes.count {
                    segments[0] = .bytes(UnsafeRawBufferPointer(rebasing: bytes[sent...]), owner: owner)
                } else {
                    releases.append(owner)
                    segments.removeFirst()
                }
            case .file(let part):
                guard part.count > 0 else {
                    segments.removeFirst()
                    continue
                }
                switch try part.send(to: channel) {
                case .sent(0):
                    // The file is shorter than it was: what was promised cannot be sent, and must not be made up.
                    throw Self.fileEnded
                case .sent(let size): sent = size
                case .full, .atDisk: return .full
                case .needsDisk:
                    partForDisk = part
                    return .needsDisk
                }
                count -= sent
                if part.count == 0 { segments.removeFirst() }
            case .spilling:
                return .full
            }
            guard budget.spend(sent, now: Clock.now()) else { break }
        }
        guard isEmpty else { return .turnOver }
        spilled = nil
        return .done
    }

    /// Where `flush` stopped for bytes that have to be read from the disk, and that nobody reads yet.
    private(set) var partForDisk: FilePart?

    /// So many of the bytes that wait are in a file now.
    mutating func leaveMemory(_ bytes: Int) { memoryCount -= bytes }

    /// Gives everything up. Owners go to `releases`.
    mutating func discard(releasing releases: inout [UnsafeMutableRawPointer]) {
        for segment in segments {
            if case .bytes(_, let owner) = segment { releases.append(owner) }
        }
        segments.removeAll()
        partForDisk = nil
        spilled = nil
        failure = nil
        count = 0
        if memoryCount != 0 { memoryCount = 0 }
    }
}
