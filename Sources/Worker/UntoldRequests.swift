public import HTTPServer
internal import HTTPWire
internal import Platform
internal import Synchronization

/// A request that no application got, as Python's logger is told of it.
public struct RefusedRequest: Sendable {
    /// The client's address; nil where there is none, as on a Unix socket.
    public let address: String?
    /// The request's head, as far as it came and as much as a log needs.
    public let head: [UInt8]
    /// Pieces of its first line: ranges over ``head``, empty where they are not there.
    public let method, target, version: Range<Int>
    /// The status of the answer; 0 where the client left before there was one.
    public let status: Int
    /// Bytes of the answer's body.
    public let bodyCount: Int
    /// Nanoseconds.
    public let duration: UInt64
}

/// A request that was served, and whose response has left by now, as Python's logger is told of it.
public struct LateRequest: Equatable, Sendable {
    /// The number under which Python keeps what else there is to say of it.
    public let ticket: Int
    /// Bytes of the response's body that left.
    public let bodyCount: Int
    /// Nanoseconds.
    public let duration: UInt64
}

/// Requests that Python's logger has not heard of yet: those that are refused, those whose clients left too early, and
/// those whose responses left only when the application was done. Whoever has the baton adds them, and a thread that
/// may run Python takes them away when it has nothing better to do.
///
/// Of other requests the logger hears where they are served (`RequestHooks`); ``Marker`` keeps them out of here.
public final class UntoldRequests: ExchangeObserver, @unchecked Sendable {
    // `@unchecked`: everything but the number is for who holds the lock.
    private let word = LockWord()
    private var waiting: [RefusedRequest] = []
    private var lost = 0
    /// Not more than there are connections.
    private var late: [LateRequest] = []
    private let count = Atomic<Int>(0)

    /// How many refused ones may wait. A client that sends nonsense must not have all of the memory, nor of Python's
    /// time.
    private static let most = 256
    /// Bytes of a head that a log needs.
    private static let headLimit = 8192

    public init() {}

    /// Whether there are any.
    var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

    /// Those that came since the last call, and how many refused ones there were no room for.
    func take() -> (refused: [RefusedRequest], lost: Int, late: [LateRequest]) {
        word.lock()
        defer { word.unlock() }
        defer { (waiting, lost, late) = ([], 0, []) }
        count.store(0, ordering: .relaxed)
        return (waiting, lost, late)
    }

    /// All of the response has left, or nothing more of it will.
    fileprivate func add(late ticket: Int, _ record: borrowing ExchangeRecord) {
        word.lock()
        defer { word.unlock() }
        late.append(LateRequest(ticket: ticket, bodyCount: record.bodyCount, duration: record.duration))
        count.store(waiting.count + late.count, ordering: .relaxed)
    }

    public func exchangeEnded(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer
    ) {
        let kept = UnsafeRawBufferPointer(rebasing: head.prefix(Self.headLimit))
        let line = RequestLine(scanning: kept.bytes)
        let address: String? =
            switch record.client {
            case .unknown, .unix: nil
            case .ipv4(let address, let port): SocketAddress.ipv4(address: address, port: port).host
            case .ipv6(let address, let port): SocketAddress.ipv6(address: address, port: port).host
            }
        let version = min(Int(line.target.end) + 1, Int(line.whole.end))..<Int(line.whole.end)
        let request = RefusedRequest(
            address: address, head: Array(kept), method: line.method.offsets, target: line.target.offsets,
            version: version, status: record.status, bodyCount: record.bodyCount, duration: record.duration)
        word.lock()
        defer { word.unlock() }
        if waiting.count < Self.most { waiting.append(request) } else { lost += 1 }
        count.store(waiting.count + late.count, ordering: .relaxed)
    }

    // Whether it was refused: the other observers remember things of both kinds. The last byte says so, and what stands
    // before it is the head, or the ticket.

    public func remember(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer,
        in note: inout [UInt8]
    ) {
        note.append(contentsOf: head.prefix(Self.headLimit))
        note.append(1)
    }

    public func exchangeLeft(_ record: borrowing ExchangeRecord, note: UnsafeRawBufferPointer) {
        guard note.last == 1 else {
            let ticket = note.loadUnaligned(as: Int.self)
            if ticket != 0 { add(late: ticket, record) }
            return
        }
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        exchangeEnded(record, head: UnsafeRawBufferPointer(rebasing: note.dropLast()), response: none)
    }

    /// For a thread that serves: says of each exchange whether Python has heard of it.
    final class Marker: ExchangeObserver {
        private let requests: UntoldRequests
        private let ticket: () -> Int

        /// - Parameter ticket: that of the exchange at hand; 0 where Python has heard of it.
        init(_ requests: UntoldRequests, ticket: @escaping () -> Int) {
            self.requests = requests
            self.ticket = ticket
        }

        func exchangeEnded(
            _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer
        ) {
            // The last of it left between the two looks.
            let ticket = ticket()
            if ticket != 0 { requests.add(late: ticket, record) }
        }

        func remember(
            _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer,
            in note: inout [UInt8]
        ) {
            withUnsafeBytes(of: ticket()) { note.append(contentsOf: $0) }
            note.append(0)
        }

        func exchangeLeft(_ record: borrowing ExchangeRecord, note: UnsafeRawBufferPointer) {}
    }
}
