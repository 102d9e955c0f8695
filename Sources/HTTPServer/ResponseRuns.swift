/// What a step of a response has to send: up to three runs of bytes, in this order.
///
/// The writer hands out what it has made, and borrows what the application made; whoever asked sends it. `first` is
/// valid until the writer is called again, `body` for as long as the block that it is part of.
public struct ResponseRuns {
    /// The server's own bytes: the head, a chunk's size line, or a whole chunk or body that was copied behind them.
    public let first: UnsafeRawBufferPointer
    /// Part of the block that was given, not copied.
    public let body: UnsafeRawBufferPointer
    /// What ends a chunk. Empty unless `body` is there.
    public let last: UnsafeRawBufferPointer
    /// The whole response is in `first`: its head, and all of a body whose length is known. It may wait for others.
    public let isWholeResponse: Bool

    @inlinable
    init(
        first: UnsafeRawBufferPointer = .none, body: UnsafeRawBufferPointer = .none,
        last: UnsafeRawBufferPointer = .none, isWholeResponse: Bool = false
    ) {
        self.first = first
        self.body = body
        self.last = last
        self.isWholeResponse = isWholeResponse
    }

    /// Nothing.
    static var none: ResponseRuns { ResponseRuns() }

    /// Bytes of all three.
    @inlinable @inline(__always)
    public var count: Int { first.count &+ body.count &+ last.count }
}

extension UnsafeRawBufferPointer {
    @usableFromInline
    static var none: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
}
