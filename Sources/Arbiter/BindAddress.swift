/// An address to listen on.
public enum BindAddress: Equatable, Hashable, Sendable {
    case tcp(host: String, port: UInt16)
    case unix(path: String)
    case descriptor(Int32)
}

extension BindAddress: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        case .descriptor(let number): "fd://\(number)"
        }
    }
}
