/// The name of the trailer line at hand, as far as it matters, and counts.
struct TrailerCheck: Sendable {
    /// Trailer lines begun.
    var count = 0
    /// Bytes of the current name.
    var nameLength = 0
    /// The name in lower case, up to the length of the longest forbidden one.
    var name = InlineArray<17, UInt8>(repeating: 0)
    var hasContentType = false

    mutating func beginName() {
        count &+= 1
        nameLength = 0
    }

    mutating func append(_ byte: UInt8) {
        if nameLength < name.count { name[nameLength] = byte.lowerCased }
        nameLength &+= 1
    }

    func isNamed(_ text: StaticString) -> Bool {
        guard nameLength == text.utf8CodeUnitCount, nameLength <= name.count else { return false }
        for position in 0..<nameLength where name[position] != text.utf8Start[position] { return false }
        return true
    }

    /// Fields that change where a message ends, whom it is for, or who sent it. RFC 9110 §6.5.1.
    var isForbidden: Bool {
        isNamed("host") || isNamed("content-length") || isNamed("transfer-encoding") || isNamed("trailer")
            || isNamed("authorization") || isNamed("te")
    }
}

extension ChunkedDecoder {
    /// One byte of the trailer section, `*( field-line CRLF ) CRLF`. RFC 9112 §7.1.2.
    mutating func consumeTrailer(_ byte: UInt8) throws(WireError) {
        if state == .trailerFirst { return try beginTrailerLine(byte) }
        lineLength &+= 1
        if state == .trailerLineFeed {
            guard byte == .lineFeed else { throw WireError(.bareCarriageReturn) }
            state = .trailerFirst
            return
        }
        if byte == .lineFeed { throw WireError(.bareLineFeed) }
        // The limit includes CRLF.
        if lineLength >= lineLimit { throw WireError(.fieldTooLarge) }
        switch state {
        case .trailerName:
            try consumeTrailerName(byte)
        case .spaceBeforeColon:
            if byte == UInt8(ascii: ":") { return try finishTrailerName() }
            guard byte.isOptionalSpace else { throw WireError(.invalidFieldName) }
        default:
            if byte == .carriageReturn {
                state = .trailerLineFeed
            } else if !byte.isFieldValueByte {
                throw WireError(.invalidFieldValue)
            }
        }
    }

    /// The first byte of a line decides what the line is.
    private mutating func beginTrailerLine(_ byte: UInt8) throws(WireError) {
        if byte == .carriageReturn {
            state = .finalLineFeed
            return
        }
        if byte.isOptionalSpace {
            guard trailers.count > 0 else { throw WireError(.spaceBeforeFirstField) }
            guard permitObsoleteFolding else { throw WireError(.obsoleteFolding) }
            // A continuation counts towards the length of its line.
            state = .trailerValue
            lineLength &+= 1
            if lineLength >= lineLimit { throw WireError(.fieldTooLarge) }
            return
        }
        guard trailers.count < trailerLimit else { throw WireError(.tooManyFields) }
        trailers.beginName()
        lineLength = 1
        if lineLength >= lineLimit { throw WireError(.fieldTooLarge) }
        state = .trailerName
        try consumeTrailerName(byte)
    }

    private mutating func consumeTrailerName(_ byte: UInt8) throws(WireError) {
        switch byte {
        case _ where byte.isTokenByte:
            if byte == UInt8(ascii: "_") && refusesUnderscores { throw WireError(.ambiguousFieldName) }
            trailers.append(byte)
        case UInt8(ascii: ":") where trailers.nameLength > 0:
            try finishTrailerName()
        case .space, .tab:
            guard stripHeaderSpaces && trailers.nameLength > 0 else { throw WireError(.spaceBeforeColon) }
            state = .spaceBeforeColon
        case .lineFeed: throw WireError(.bareLineFeed)
        case .carriageReturn: throw WireError(.missingColon)
        default: throw WireError(.invalidFieldName)
        }
    }

    private mutating func finishTrailerName() throws(WireError) {
        if trailers.isForbidden { throw WireError(.forbiddenTrailer) }
        if trailers.isNamed("content-type") {
            if trailers.hasContentType { throw WireError(.duplicateContentType) }
            trailers.hasContentType = true
        }
        state = .trailerValue
    }
}
