/// How far a head that comes in pieces has been looked at. It is kept with the head's bytes: a parser serves any number
/// of connections.
public struct HeadProgress: Equatable, Sendable {
    /// Bytes that were there at the last look.
    private(set) var seen = 0
    /// Where the line begins that was not complete then.
    private(set) var lineStart = 0

    /// Nothing has been looked at.
    public init() {}

    /// All of these bytes have been parsed, and are not a whole head.
    public init(of bytes: RawSpan) {
        look(at: bytes)
    }

    /// Whether there are bytes that nobody has looked at.
    public func hasUnseen(of count: Int) -> Bool { count > seen }

    /// Looks at what is new. Whether a line ends there.
    @discardableResult
    mutating func look(at bytes: RawSpan) -> Bool {
        var at = bytes.byteCount
        while at > seen, bytes.uncheckedByte(at &- 1) != .lineFeed { at &-= 1 }
        let endsLine = at > seen
        if endsLine { lineStart = at }
        seen = bytes.byteCount
        return endsLine
    }
}

extension RequestParser {
    /// Whether a look at the head can come to anything but ``ParseProgress/more``, given that it could not at the last
    /// look. It costs one look at the new bytes: a head that grows by a byte at a time is not parsed anew for each.
    ///
    /// Only a line's end can complete a head, and only there most faults are looked for; besides, a line may grow past
    /// its limit. The first bytes are always worth a look, so that a client that does not speak HTTP learns it at once.
    ///
    /// - Parameter bytes: all that has arrived since the end of the previous request.
    /// - Parameter progress: what is known of these bytes; brought up to date.
    public func mayDecide(_ bytes: RawSpan, after progress: inout HeadProgress) -> Bool {
        let before = progress
        if progress.look(at: bytes) || before.seen < Self.opening { return true }
        // Each limit counts once, when it is passed: the parser then has its say.
        let limit = before.lineStart <= 2 ? rules.requestLineLimit &+ 2 : rules.fieldSizeLimit
        let wasWithin = before.seen &- before.lineStart <= limit && before.seen <= rules.headSizeLimit
        return wasWithin && (bytes.byteCount &- before.lineStart > limit || bytes.byteCount > rules.headSizeLimit)
    }

    /// Bytes in which it shows whether a client speaks HTTP.
    static var opening: Int { 64 }
}
