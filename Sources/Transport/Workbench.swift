public import HTTPServer
public import HTTPWire

/// What one thread needs to receive and parse: a buffer to read into and a parser. Every thread that may hold the baton
/// has its own, so that a request's bytes stay put while its thread runs the application, whoever has the baton
/// meanwhile.
public final class Workbench {
    /// Bytes. A body of 64 KiB, the usual piece of an upload, fits with its head. Memory that no request reaches is
    /// never touched, so the system does not have to provide it.
    static let capacity = 262_144

    let buffer: UnsafeMutableRawBufferPointer
    @usableFromInline var parser: RequestParser
    /// What makes the response.
    public var writer = ResponseWriter()
    /// For responses that do not leave at once.
    let departures = DeparturePool()
    /// The request under way: its head, and its body if that is inline. Pipelined requests may follow.
    @usableFromInline var request = UnsafeRawBufferPointer(start: nil, count: 0)

    /// The bytes that a range of the head stands for. Valid until the next request on this bench.
    @inlinable @inline(__always)
    func bytes(_ range: ByteRange) -> UnsafeRawBufferPointer {
        let offsets = range.offsets
        precondition(offsets.upperBound <= request.count)
        return UnsafeRawBufferPointer(start: request.baseAddress! + offsets.lowerBound, count: offsets.count)
    }

    public init(policy: RequestPolicy) {
        buffer = .allocate(byteCount: Self.capacity, alignment: 64)
        parser = RequestParser(policy: policy)
    }

    deinit {
        buffer.deallocate()
    }
}
