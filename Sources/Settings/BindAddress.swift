/// An address to listen on.
public enum BindAddress: Equatable, Hashable, Sendable {
    /// A TCP port (0 lets the system choose) on a host name, an IPv4 address or an IPv6 address without brackets.
    case tcp(host: String, port: UInt16)
    /// A Unix domain socket. A path that starts with NUL is a name in Linux's abstract namespace (unix(7)).
    case unix(path: String)
    /// A listening socket that this process has inherited.
    case descriptor(Int32)
}

extension BindAddress: CustomStringConvertible {
    /// In the form in which ``init(parsing:)`` takes it.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path.utf8.first == 0 ? "unix:@\(path.dropFirst())" : "unix:\(path)"
        case .descriptor(let number): "fd://\(number)"
        }
    }
}

extension BindAddress {
    /// The port of an address that names none.
    public static let defaultPort: UInt16 = 8000

    /// The bytes that a path may have: `sun_path` holds 108, of which a NUL ends the path (unix(7)).
    static let longestPath = 107

    /// Why a text is no address; ends a message.
    public struct ParseError: Error, Equatable, Sendable {
        public let remedy: String
    }

    /// Reads gunicorn's forms: `HOST`, `HOST:PORT`, `:PORT`, `[IPV6]`, `[IPV6]:PORT`, each also behind `tcp://`;
    /// `unix:PATH`, `unix://PATH`, `fd://NUMBER`. The empty text means every IPv4 address. `unix:@NAME` is an abstract
    /// name, which a command line cannot write with the NUL that it begins with; `unix:./@NAME` is a file.
    ///
    /// Stricter than gunicorn, which ignores what follows a second colon or a bracket.
    public init(parsing text: String) throws(ParseError) {
        if let path = text.dropping(prefix: "unix://") ?? text.dropping(prefix: "unix:") {
            self = try .unix(path: Self.path(path))
        } else if let number = text.dropping(prefix: "fd://") {
            guard let descriptor = Self.decimal(number), let descriptor = Int32(exactly: descriptor) else {
                throw ParseError(remedy: "fd:// takes the number of an open descriptor")
            }
            self = .descriptor(descriptor)
        } else {
            let address = text.dropping(prefix: "tcp://") ?? text[...]
            // "//" cannot stand in an address otherwise: it names another scheme.
            if zip(address, address.dropFirst()).contains(where: { $0 == "/" && $1 == "/" }) {
                throw ParseError(remedy: "an address starts with tcp://, unix:, fd:// or the host itself")
            }
            self = try Self.tcp(address)
        }
    }

    private static func path(_ path: Substring) throws(ParseError) -> String {
        if path.isEmpty {
            throw ParseError(remedy: "unix: takes the path of a socket")
        }
        if path.utf8.count > longestPath {
            throw ParseError(remedy: "the path of a Unix socket has \(longestPath) bytes at most")
        }
        // A NUL further on would end the path early, and the socket would appear under another name.
        if path.utf8.dropFirst().contains(0) {
            throw ParseError(remedy: "a path has no NUL in it")
        }
        guard path.utf8.first == 0 || path.utf8.first == UInt8(ascii: "@") else { return String(path) }
        // Nothing but the NUL is a name too, to the kernel, and surely not what was meant.
        if path.utf8.count == 1 {
            throw ParseError(remedy: "unix:@ takes the name of an abstract socket")
        }
        return "\0" + path.dropFirst()
    }

    private static func tcp(_ address: Substring) throws(ParseError) -> BindAddress {
        if address.first == "[" {
            guard let end = address.firstIndex(of: "]") else {
                throw ParseError(remedy: "the bracket of the IPv6 address is not closed")
            }
            let host = address[address.index(after: address.startIndex)..<end]
            let rest = address[address.index(after: end)...]
            guard host.contains(":"), host.utf8.allSatisfy(isIPv6Byte) else {
                throw ParseError(remedy: "brackets hold an IPv6 address, as in [::1]:8000")
            }
            if rest.isEmpty { return .tcp(host: host.lowercased(), port: defaultPort) }
            guard rest.first == ":" else {
                throw ParseError(remedy: "after the bracket comes a colon and the port, as in [::1]:8000")
            }
            return .tcp(host: host.lowercased(), port: try port(rest.dropFirst()))
        }
        let parts = address.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let host = parts[0]
        guard host.utf8.allSatisfy(isHostByte) else {
            throw ParseError(remedy: "this is no host name; write HOST:PORT, or unix:PATH for a Unix socket")
        }
        if parts.count == 2, parts[1].contains(":") {
            throw ParseError(remedy: "an IPv6 address takes brackets, as in [::1]:8000")
        }
        return .tcp(
            host: host.isEmpty ? "0.0.0.0" : host.lowercased(),
            port: parts.count == 2 ? try port(parts[1]) : defaultPort)
    }

    private static func port(_ text: Substring) throws(ParseError) -> UInt16 {
        guard let number = decimal(text), let port = UInt16(exactly: number) else {
            throw ParseError(remedy: "the port must be a number from 0 to 65535")
        }
        return port
    }

    /// ASCII digits only: `Int(_:)` would take a sign too.
    private static func decimal(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
        return Int(text)
    }

    /// Anything visible but the delimiters of an address; whether the name exists is for the resolver to say.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte != 0x7f && !"/:[]".utf8.contains(byte)
    }

    /// Hexadecimal digits, colons, dots of an embedded IPv4 address, and a zone behind `%` (RFC 4007 §11).
    private static func isIPv6Byte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: ":"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."), UInt8(ascii: "%"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

extension String {
    fileprivate func dropping(prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}
