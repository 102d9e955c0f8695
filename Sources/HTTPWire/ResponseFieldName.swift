/// What becomes of a field that an application sends.
enum ResponseFieldName {
    enum Role {
        case application, contentLength, connection, upgrade
        /// The server's own to send, or meant for one hop only. RFC 9110 §7.6.1, PEP 3333.
        case dropped
    }

    /// Told apart by length first: most names that applications send have a length that none of these has.
    @inline(__always)
    static func role(of name: borrowing RawSpan) -> Role {
        switch name.byteCount {
        case 2: equals(name, "te") ? .dropped : .application
        case 4: equals(name, "date") ? .dropped : .application
        case 6: equals(name, "server") ? .dropped : .application
        case 7:
            if equals(name, "upgrade") {
                .upgrade
            } else {
                equals(name, "trailer") ? .dropped : .application
            }
        case 8: equals(name, "trailers") ? .dropped : .application
        case 10:
            if equals(name, "connection") {
                .connection
            } else {
                equals(name, "keep-alive") ? .dropped : .application
            }
        case 14: equals(name, "content-length") ? .contentLength : .application
        case 16: equals(name, "proxy-connection") ? .dropped : .application
        case 17: equals(name, "transfer-encoding") ? .dropped : .application
        case 18: equals(name, "proxy-authenticate") ? .dropped : .application
        case 19: equals(name, "proxy-authorization") ? .dropped : .application
        default: .application
        }
    }

    /// Compares without regard to case, a word at a time.
    ///
    /// - Parameter text: lower case letters and hyphens, as many as there are bytes in the name.
    @inline(__always)
    private static func equals(_ name: borrowing RawSpan, _ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        if count < 8 { return FieldSyntax.hasPrefix(name, from: 0, to: name.byteCount, text) }
        var at = 0
        while true {
            let word = UInt64(
                littleEndian: UnsafeRawPointer(text.utf8Start).loadUnaligned(fromByteOffset: at, as: UInt64.self))
            // Of these characters letters alone have the bit 0x40, and the one below it is their case.
            if (name.uncheckedWord(at) ^ word) & ~(word &>> 1 & 0x2020_2020_2020_2020) != 0 { return false }
            if at == count &- 8 { return true }
            at = min(at &+ 8, count &- 8)
        }
    }

    /// ``FieldSyntax/isToken(_:)``, a word at a time for names of letters and hyphens.
    @inline(__always)
    static func isToken(_ name: borrowing RawSpan) -> Bool {
        let count = name.byteCount
        if count >= 8 {
            // The last word may reach back into the one before.
            var position = 0
            while Scanning.isPlainName(name.uncheckedWord(position)) {
                if position == count &- 8 { return true }
                position = min(position &+ 8, count &- 8)
            }
        }
        return FieldSyntax.isToken(copy name)
    }
}
