extension RequestParser {
    /// Parses field lines up to and with the empty line. RFC 9112 §5.
    ///
    /// - Returns: false if the empty line has not arrived.
    @inline(__always)
    mutating func parseFields(
        _ bytes: borrowing RawSpan, from position: inout Int, to end: Int, fromTrustedPeer: Bool
    ) throws(WireError) -> Bool {
        head.fields.removeAll()
        head.schemeOverride = .none
        facts = FieldFacts()
        var lineCount = 0
        var at = position
        while true {
            guard at < end else { return false }
            let byte = bytes.uncheckedByte(at)
            if byte == .carriageReturn {
                guard at &+ 1 < end else { return false }
                guard bytes.uncheckedByte(at &+ 1) == .lineFeed else { throw WireError(.bareCarriageReturn) }
                position = at &+ 2
                return true
            }
            if byte.isOptionalSpace {
                throw WireError(lineCount == 0 ? .spaceBeforeFirstField : .obsoleteFolding)
            }
            guard lineCount < rules.fieldLimit else { throw WireError(.tooManyFields) }
            lineCount &+= 1
            guard try parseField(bytes, from: &at, to: end, fromTrustedPeer: fromTrustedPeer) else { return false }
        }
    }

    /// Parses one field line with its CRLF, and what policy lets be folded into it.
    @inline(__always)
    private mutating func parseField(
        _ bytes: borrowing RawSpan, from position: inout Int, to end: Int, fromTrustedPeer: Bool
    ) throws(WireError) -> Bool {
        // The CR stands at `bound` at the latest.
        let bound = position &+ max(rules.fieldSizeLimit &- 2, 0)
        let stop = min(end, bound)

        // Name. Nearly every name is a known one, and such a name needs no look at its bytes.
        let nameStart = position
        let colon = Scanning.first(UInt8(ascii: ":"), in: bytes, from: nameStart, to: stop)
        var nameEnd = colon
        var kind = FieldKind.other
        var hasUnderscore = false
        if colon < stop && colon > nameStart && colon &- nameStart <= KnownFieldNames.maximumLength {
            kind = knownNames.kind(of: bytes, at: nameStart, length: colon &- nameStart)
            hasUnderscore = kind == .scriptName
        }
        if kind == .other {
            (nameEnd, hasUnderscore) = try checkName(bytes, from: nameStart, to: colon)
            guard colon < stop else { return try outOfField(colon, bound: bound, end: end) }
            guard nameEnd > nameStart else { throw WireError(.invalidFieldName) }
            if nameEnd < colon { kind = knownKind(bytes, from: nameStart, to: nameEnd) }
        }

        // Value.
        var at = colon &+ 1
        while at < stop && bytes.uncheckedByte(at).isOptionalSpace { at &+= 1 }
        let valueStart = at
        var isFolded = false
        while true {
            at = Scanning.control(in: bytes, from: at, to: stop)
            if at >= stop {
                guard at < end else { return false }
                guard bytes.uncheckedByte(at) == .carriageReturn else { throw WireError(.fieldTooLarge) }
            }
            let byte = bytes.uncheckedByte(at)
            if byte == .tab {
                at &+= 1
                continue
            }
            guard byte == .carriageReturn else {
                throw WireError(byte == .lineFeed ? .bareLineFeed : .invalidFieldValue)
            }
            guard at &+ 1 < end else { return false }
            guard bytes.uncheckedByte(at &+ 1) == .lineFeed else { throw WireError(.bareCarriageReturn) }
            if rules.permitObsoleteFolding {
                // Only the next byte tells whether the value is complete.
                guard at &+ 2 < end else { return false }
                if bytes.uncheckedByte(at &+ 2).isOptionalSpace {
                    // What the path is relative to is as delicate as what says where the message ends.
                    if kind == .scriptName { throw WireError(.obsoleteFolding) }
                    isFolded = true
                    at &+= 2
                    if at >= bound { throw WireError(.fieldTooLarge) }
                    continue
                }
            }
            break
        }
        position = at &+ 2
        var valueEnd = at
        while valueEnd > valueStart && bytes.uncheckedByte(valueEnd &- 1).isOptionalSpace { valueEnd &-= 1 }

        let field = FieldLine(
            name: ByteRange(nameStart, nameEnd), value: ByteRange(valueStart, valueEnd), kind: kind, isFolded: isFolded)
        if kind.concernsServer { try note(field, bytes) }
        if fromTrustedPeer && !rules.secureSchemes.isEmpty
            && rules.secureSchemeLengths &>> UInt64(truncatingIfNeeded: min(nameEnd &- nameStart, 63)) & 1 == 1
        {
            try noteScheme(field, bytes)
        }
        if hasUnderscore {
            guard try keepsUnderscore(field, bytes, fromTrustedPeer: fromTrustedPeer) else { return true }
        }
        head.fields.append(field)
        return true
    }

    /// The bytes ran out before the colon.
    @inline(never)
    private func outOfField(_ at: Int, bound: Int, end: Int) throws(WireError) -> Bool {
        if at >= bound && at < end { throw WireError(.fieldTooLarge) }
        return false
    }

    /// Checks the bytes of a name that is not a known one.
    ///
    /// - Returns: where the name ends, which is before `end` only if policy strips spaces, and whether `_` is in it.
    @inline(never)
    private func checkName(
        _ bytes: borrowing RawSpan, from start: Int, to end: Int
    ) throws(WireError) -> (end: Int, hasUnderscore: Bool) {
        var at = start
        var hasUnderscore = false
        while at < end {
            let byte = bytes.uncheckedByte(at)
            guard byte.isTokenByte else { break }
            if byte == UInt8(ascii: "_") { hasUnderscore = true }
            at &+= 1
        }
        let nameEnd = at
        guard at < end else { return (nameEnd, hasUnderscore) }
        if rules.stripHeaderSpaces && nameEnd > start {
            while at < end && bytes.uncheckedByte(at).isOptionalSpace { at &+= 1 }
            if at == end { return (nameEnd, hasUnderscore) }
        }
        switch bytes.uncheckedByte(at) {
        case .lineFeed: throw WireError(.bareLineFeed)
        case .carriageReturn: throw WireError(.missingColon)
        case .space, .tab: throw WireError(.spaceBeforeColon)
        default: throw WireError(.invalidFieldName)
        }
    }

    /// The kind of a name that spaces follow.
    private func knownKind(_ bytes: borrowing RawSpan, from start: Int, to end: Int) -> FieldKind {
        guard end > start, end - start <= KnownFieldNames.maximumLength else { return .other }
        return knownNames.kind(of: bytes, at: start, length: end - start)
    }
}
