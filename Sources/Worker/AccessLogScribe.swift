internal import HTTPServer
internal import HTTPWire
internal import Platform
internal import Telemetry
internal import WSGI

/// Writes the access log lines of one thread into its page.
final class AccessLogScribe: ExchangeObserver {
    private let format: AccessLogFormat
    private let isJSON: Bool
    private let page: AccessLogPage
    /// What the application's environ said, where the format asks for it.
    private let excerpt: EnvironExcerpt?
    /// `SCRIPT_NAME`, as far as it is configured: a path is told below it.
    private let mount: [UInt8]
    private let process = Int(Process.id)
    private var decoded = UnsafeMutableRawBufferPointer.allocate(byteCount: 512, alignment: 1)
    private var client = ExchangeRecord.Client.unknown
    private var clientText: [UInt8] = []
    private var zone = LocalZone()

    init(_ log: AccessLog, page: AccessLogPage, mount: String, excerpt: EnvironExcerpt?) {
        format = log.format
        isJSON = log.isJSON
        self.page = page
        self.mount = Array(mount.utf8)
        self.excerpt = excerpt
    }

    deinit { decoded.deallocate() }

    func exchangeEnded(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer
    ) {
        let path = path(of: record, head)
        noteClient(record.client)
        let isKnown = record.client != .unknown
        let zone = zone.offset(at: record.wallSeconds)
        clientText.withUnsafeBytes { text in
            let fields = LoggedExchange(
                record, head: head, response: response, client: isKnown ? text : nil, path: path, timeZone: zone,
                process: process, excerpt: excerpt)
            page.add { out in if isJSON { format.writeJSON(fields, to: &out) } else { format.write(fields, to: &out) } }
        }
    }

    private func noteClient(_ other: ExchangeRecord.Client) {
        if other == client { return }
        client = other
        switch other {
        case .unknown, .unix: clientText = []
        case .ipv4(let address, let port):
            clientText = Array(SocketAddress.ipv4(address: address, port: port).host.utf8)
        case .ipv6(let address, let port):
            clientText = Array(SocketAddress.ipv6(address: address, port: port).host.utf8)
        }
    }

    /// `PATH_INFO`: decoded, below the mount point.
    private func path(of record: borrowing ExchangeRecord, _ head: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard record.line.version != nil else { return nil }
        var path = UnsafeRawBufferPointer(rebasing: head[record.line.path.offsets])
        if !mount.isEmpty, let count = MountPoint.length(of: mount, in: path) {
            path = UnsafeRawBufferPointer(rebasing: path[count...])
        }
        guard FieldSyntax.hasPercent(path.bytes) else { return path }
        if decoded.count < path.count {
            decoded.deallocate()
            decoded = .allocate(byteCount: path.count * 2, alignment: 1)
        }
        let count = FieldSyntax.percentDecode(path.bytes, into: decoded)
        return UnsafeRawBufferPointer(rebasing: decoded[..<count])
    }
}

/// The local time's distance from UTC. It is looked up once a quarter of an hour: no zone changes it at another moment.
struct LocalZone {
    private var quarter: Int64 = -1
    private var seconds = 0

    mutating func offset(at time: Int64) -> Int {
        if time / 900 != quarter {
            quarter = time / 900
            seconds = Clock.zoneOffset(at: time)
        }
        return seconds
    }
}

/// Tells several observers of each exchange.
final class ExchangeObservers: ExchangeObserver {
    private let all: [any ExchangeObserver]

    /// - Returns: nil for none; a single one is nobody's detour.
    static func joining(_ observers: [any ExchangeObserver]) -> (any ExchangeObserver)? {
        observers.count > 1 ? ExchangeObservers(observers) : observers.first
    }

    private init(_ observers: [any ExchangeObserver]) { all = observers }

    func exchangeEnded(
        _ record: borrowing ExchangeRecord, head: UnsafeRawBufferPointer, response: UnsafeRawBufferPointer
    ) {
        for observer in all { observer.exchangeEnded(record, head: head, response: response) }
    }
}
