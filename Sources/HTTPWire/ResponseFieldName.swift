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

    @inline(__always)
    private static func equals(_ name: borrowing RawSpan, _ text: StaticString) -> Bool {
        FieldSyntax.hasPrefix(name, from: 0, to: name.byteCount, text)
    }

    /// ``FieldSyntax/isToken(_:)``, a word at a time for names of letters and hyphens.
    @inline(__always)
    static func isToken(_ name: borrowing RawSpan) -> Bool {
        let count = name.byteCount
        guard count > 0 else { return false }
        var position = 0
        while position &+ 8 <= count {
            guard Scanning.isPlainName(name.uncheckedWord(position)) else { break }
            position &+= 8
        }
        while position < count {
            guard name.uncheckedByte(position).isTokenByte else { return false }
            position &+= 1
        }
        return true
    }
}
