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

/// Requests that are refused, and those whose clients left too early, on their way to Python's logger: whoever has the
/// baton adds them, and a thread that may run Python takes them away when it has nothing better to do.
///
/// Served requests go to the logger where they are served (`RequestHooks`); ``Marker`` keeps them out of here.
public final class RefusedRequests: ExchangeObserver, @unchecked Sendable {
    // `@unchecked`: everything but the number is for who holds the lock.
    private let word = LockWord()
    private var waiting: [RefusedRequest] = []
    private var lost = 0
    private let count = Atomic<Int>(0)

    /// How many may wait. A client that sends nonsense must not have all of the memory, nor of Python's time.
    private static let most = 256
    /// Bytes of a head that a log needs.
    private static let headLimit = 8192

    public init() {}

    /// Whether there are any.
    var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

    /// Those that came since the last call, and how many there were no room for.
    func take() -> (requests: [RefusedRequest], lost: Int) {
        word.lock()
        defer { word.unlock() }
        defer { (waiting, lost) = ([], 0) }
        count.store(0, ordering: .relaxed)
        return (waiting, lost)
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
        count.store(waiting.count, ordering: .relaxed)
    }

    // Whether it is one of these: the other observers remember things of both kinds.

    public func remember(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer,
        in note: inout [UInt8]
    ) {
        note.append(contentsOf: head.prefix(Self.headLimit))
        note.append(1)
    }

    public func exchangeLeft(_ record: borrowing ExchangeRecord, note: UnsafeRawBufferPointer) {
        guard note.last == 1 else { return }
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        exchangeEnded(record, head: UnsafeRawBufferPointer(rebasing: note.dropLast()), response: none)
    }

    /// For the threads that serve: says of each exchange that it is none of these.
    final class Marker: ExchangeObserver {
        func exchangeEnded(
            _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer
        ) {}

        func remember(
            _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer,
            in note: inout [UInt8]
        ) { note.append(0) }

        func exchangeLeft(_ record: borrowing ExchangeRecord, note: UnsafeRawBufferPointer) {}
    }
}
