/// What a call of ``ChunkedDecoder/next(_:from:)`` came to.
public enum ChunkedStep: Equatable, Sendable {
    /// All bytes are consumed, and the body is not complete.
    case more
    /// A run of body data inside the given bytes. Continue behind it.
    case data(ByteRange)
    /// The body is complete; the next request starts at this position of the given bytes.
    case end(consumed: Int)
}

/// Decodes a chunked body where it lies, however it is cut into reads. RFC 9112 §7.1.
///
/// It is a state machine over bytes: it keeps a few numbers and the start of a trailer name, never a line. Size lines,
/// extensions and trailers are checked against their grammar and bounded. Trailers are then discarded.
public struct ChunkedDecoder: Sendable {
    /// What the next byte is.
    enum State: UInt8 {
        case sizeFirst, size, spaceBeforeExtension
        case extensionNameFirst, extensionName, spaceAfterName
        case extensionValueFirst, extensionValue, quoted, quotedPair, quotedEnd, spaceAfterValue
        case sizeLineFeed
        case data, dataReturn, dataLineFeed
        case trailerFirst, trailerName, spaceBeforeColon, trailerValue, trailerLineFeed
        case finalLineFeed, done
    }

    var state = State.sizeFirst
    /// Bytes of the current chunk that are still to come.
    var remaining = 0
    /// Bytes of the body so far.
    public private(set) var total = 0
    /// Bytes of the current size line or trailer line, up to now.
    var lineLength = 0
    /// Extension bytes that the data does not make up for.
    private var extensionDebt = 0
    var trailers = TrailerCheck()

    let bodyLimit: Int
    let lineLimit: Int
    let trailerLimit: Int
    let permitObsoleteFolding: Bool
    let stripHeaderSpaces: Bool
    let refusesUnderscores: Bool

    public init(policy: RequestPolicy) {
        bodyLimit = policy.limitRequestBody > 0 ? policy.limitRequestBody : .max
        lineLimit = policy.effectiveRequestFieldSize
        trailerLimit = policy.effectiveRequestFields
        permitObsoleteFolding = policy.permitObsoleteFolding
        stripHeaderSpaces = policy.stripHeaderSpaces
        refusesUnderscores = policy.headerMap == .refuse
    }

    /// Decodes on from a position, up to a run of data, the end of the body, or the end of the bytes.
    ///
    /// - Parameter bytes: what has arrived, less than 4 GiB.
    /// - Parameter offset: where to go on: 0 for new bytes, or the end of the range that the last call returned.
    /// - Throws: `WireError` for what is not a chunked body, or is too large. The decoder is of no use afterwards.
    public mutating func next(_ bytes: RawSpan, from offset: Int) throws(WireError) -> ChunkedStep {
        // Positions are 32 bits; no caller reads 4 GiB at once.
        precondition(offset >= 0 && offset <= bytes.byteCount && bytes.byteCount <= Int(UInt32.max))
        var position = offset
        let end = bytes.byteCount
        while position < end {
            switch state {
            case .data:
                let count = min(remaining, end &- position)
                remaining &-= count
                if remaining == 0 { state = .dataReturn }
                return .data(ByteRange(position, position &+ count))
            case .trailerFirst, .trailerName, .spaceBeforeColon, .trailerValue, .trailerLineFeed:
                try consumeTrailer(bytes.uncheckedByte(position))
            case .dataReturn:
                guard bytes.uncheckedByte(position) == .carriageReturn else { throw WireError(.missingChunkTerminator) }
                state = .dataLineFeed
            case .dataLineFeed:
                guard bytes.uncheckedByte(position) == .lineFeed else { throw WireError(.missingChunkTerminator) }
                state = .sizeFirst
                lineLength = 0
            case .finalLineFeed:
                guard bytes.uncheckedByte(position) == .lineFeed else { throw WireError(.bareCarriageReturn) }
                state = .done
                return .end(consumed: position &+ 1)
            case .done:
                return .end(consumed: position)
            default:
                try consumeSizeLine(bytes.uncheckedByte(position))
            }
            position &+= 1
        }
        return state == .done ? .end(consumed: position) : .more
    }

    /// One byte of `chunk-size [ chunk-ext ] CRLF`.
    @inline(__always)
    private mutating func consumeSizeLine(_ byte: UInt8) throws(WireError) {
        lineLength &+= 1
        if byte == .lineFeed {
            guard state == .sizeLineFeed else { throw WireError(.bareLineFeed) }
            return try finishSizeLine()
        }
        // The limit includes CRLF: the byte at its last position must be the LF.
        if lineLength >= lineLimit { throw WireError(.invalidChunkSize) }
        if state == .size || state == .sizeFirst, let digit = byte.hexValue {
            // Leading zeros are fine, an overflow is not.
            guard remaining <= Int.max >> 4 else { throw WireError(.bodyTooLarge) }
            remaining = remaining << 4 | Int(digit)
            state = .size
        } else {
            try consumeExtension(byte)
        }
    }

    /// The line is complete: data, or the trailer section.
    private mutating func finishSizeLine() throws(WireError) {
        lineLength = 0
        guard remaining > 0 else {
            state = .trailerFirst
            return
        }
        guard remaining <= bodyLimit &- total else { throw WireError(.bodyTooLarge) }
        total &+= remaining
        // Real extensions are signatures of large chunks. Whoever hangs a lot on single bytes wants to keep the server
        // busy.
        extensionDebt = max(0, extensionDebt &- remaining)
        state = .data
    }

    /// `chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`. RFC 9112 §7.1.1.
    @inline(never)
    private mutating func consumeExtension(_ byte: UInt8) throws(WireError) {
        extensionDebt &+= 1
        guard extensionDebt <= max(lineLimit, 16384) else { throw WireError(.excessiveChunkExtensions) }
        switch (state, byte) {
        case (.quoted, UInt8(ascii: "\"")): state = .quotedEnd
        case (.quoted, UInt8(ascii: "\\")): state = .quotedPair
        case (.quoted, _), (.quotedPair, _):
            guard byte.isFieldValueByte else { throw WireError(.invalidChunkExtension) }
            state = .quoted

        case (.size, .carriageReturn), (.extensionName, .carriageReturn), (.extensionValue, .carriageReturn),
            (.quotedEnd, .carriageReturn):
            state = .sizeLineFeed
        case (.sizeLineFeed, _): throw WireError(.bareCarriageReturn)

        case (.size, UInt8(ascii: ";")), (.spaceBeforeExtension, UInt8(ascii: ";")),
            (.extensionName, UInt8(ascii: ";")), (.spaceAfterName, UInt8(ascii: ";")),
            (.extensionValue, UInt8(ascii: ";")), (.quotedEnd, UInt8(ascii: ";")),
            (.spaceAfterValue, UInt8(ascii: ";")):
            state = .extensionNameFirst
        case (.extensionName, UInt8(ascii: "=")), (.spaceAfterName, UInt8(ascii: "=")):
            state = .extensionValueFirst
        case (.extensionValueFirst, UInt8(ascii: "\"")): state = .quoted

        case (.size, .space), (.size, .tab): state = .spaceBeforeExtension
        case (.extensionName, .space), (.extensionName, .tab): state = .spaceAfterName
        case (.extensionValue, .space), (.extensionValue, .tab), (.quotedEnd, .space), (.quotedEnd, .tab):
            state = .spaceAfterValue
        case (.spaceBeforeExtension, .space), (.spaceBeforeExtension, .tab), (.spaceAfterName, .space),
            (.spaceAfterName, .tab), (.spaceAfterValue, .space), (.spaceAfterValue, .tab),
            (.extensionNameFirst, .space), (.extensionNameFirst, .tab), (.extensionValueFirst, .space),
            (.extensionValueFirst, .tab):
            break

        case (.extensionNameFirst, _) where byte.isTokenByte: state = .extensionName
        case (.extensionName, _) where byte.isTokenByte: break
        case (.extensionValueFirst, _) where byte.isTokenByte: state = .extensionValue
        case (.extensionValue, _) where byte.isTokenByte: break

        case (.sizeFirst, _), (.size, _), (.spaceBeforeExtension, _): throw WireError(.invalidChunkSize)
        default: throw WireError(.invalidChunkExtension)
        }
    }
}
