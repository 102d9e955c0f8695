internal import Platform
internal import PythonBridge

/// `str` objects for peers' addresses and ports. Behind a proxy there are few addresses; and a connection keeps its
/// port.
struct AddressCache {
    private struct Entry {
        var address: SocketAddress
        var text: PyPointer
    }

    private var hosts = [Entry?](repeating: nil, count: 64)
    private var ports = [(port: UInt16, text: PyPointer)?](repeating: nil, count: 64)

    /// REMOTE_ADDR and REMOTE_PORT, owned by the cache until the next call. A client of a unix socket has an empty
    /// address and no port, as with gunicorn.
    mutating func strings(
        for peer: SocketAddress, _ gil: borrowing GIL
    ) throws(PythonError) -> (host: PyPointer, port: PyPointer?) {
        let index: Int
        let address: SocketAddress
        switch peer {
        case .ipv4(let number, _):
            index = Int((number ^ number >> 8 ^ number >> 16) & 63)
            address = .ipv4(address: number, port: 0)
        case .ipv6(let number, _):
            index = Int(truncatingIfNeeded: number ^ number >> 64) & 63
            address = .ipv6(address: number, port: 0)
        case .unix:
            index = 0
            address = .unix(path: "")
        }
        let host: PyPointer
        if let entry = hosts[index], entry.address == address {
            host = entry.text
        } else {
            host = try gil.string(address.host).leak()
            if let old = hosts[index] { gil.release(old.text) }
            hosts[index] = Entry(address: address, text: host)
        }
        return (host, try peer.port.map { (port) throws(PythonError) in try text(of: port, gil) })
    }

    private mutating func text(of port: UInt16, _ gil: borrowing GIL) throws(PythonError) -> PyPointer {
        // Linux gives a client's outgoing connections ports of one parity.
        let index = Int(port >> 1 & 63)
        if let entry = ports[index], entry.port == port { return entry.text }
        let text = try gil.string("\(port)").leak()
        if let old = ports[index] { gil.release(old.text) }
        ports[index] = (port, text)
        return text
    }
}
