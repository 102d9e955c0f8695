/// A run of bytes inside the buffer that was parsed: positions, never a copy.
///
/// A head is made of these, so a request is parsed without moving a byte. They are only meaningful together with the
/// buffer they came from, at the same base. 32 bits suffice: a head is bounded far below 4 GiB, see
/// ``RequestPolicy/headSizeLimit``.
public struct ByteRange: Equatable, Sendable {
    /// Position of the first byte.
    public var start: UInt32
    /// Number of bytes.
    public var count: UInt32

    @inlinable
    public init(start: UInt32, count: UInt32) {
        self.start = start
        self.count = count
    }

    /// Both positions come from a scan of a buffer whose size was checked to fit 32 bits.
    @inline(__always)
    package init(_ start: Int, _ end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.count = UInt32(truncatingIfNeeded: end &- start)
    }

    /// Position behind the last byte.
    @inlinable
    public var end: UInt32 { start &+ count }

    @inlinable
    public var isEmpty: Bool { count == 0 }

    /// The same run as `Int` positions, for `RawSpan.extracting(_:)` and buffer slices.
    @inlinable
    public var offsets: Range<Int> { Int(start)..<(Int(start) &+ Int(count)) }

    public static var empty: ByteRange { ByteRange(start: 0, count: 0) }
}
