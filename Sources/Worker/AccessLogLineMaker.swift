internal import HTTPServer
internal import HTTPWire
internal import Platform
internal import Telemetry

/// Makes the lines of the access log from notes. For the thread of the log: it remembers what the next line probably
/// needs again.
struct AccessLogLineMaker: ~Copyable {
    private let format: AccessLogFormat
    private let isJSON: Bool
    /// `SCRIPT_NAME`, as far as it is configured: a path is told below it.
    private let mount: [UInt8]
    private let process = Int(Process.id)
    private var decoded = TextBuffer(capacity: 512)

    /// The last client, and its address as text.
    private var client = ExchangeRecord.Client.unknown
    private var clientText = TextBuffer(capacity: 64)
    /// The last second, and what `%(t)s` is in it.
    private var second: Int64?
    private var secondText = TextBuffer(capacity: 64)
    private var zone = LocalZone()

    init(_ format: AccessLogFormat, isJSON: Bool, mount: String) {
        self.format = format
        self.isJSON = isJSON
        self.mount = Array(mount.utf8)
    }

    /// Appends a line for each of the notes.
    mutating func write(linesOf notes: UnsafeRawBufferPointer, to out: inout TextBuffer) {
        var offset = 0
        while offset < notes.count {
            let note = notes.loadUnaligned(fromByteOffset: offset, as: AccessLogNote.self)
            let end = offset &+ Int(note.size)
            write(note, UnsafeRawBufferPointer(rebasing: notes[offset..<end]), to: &out)
            offset = end
        }
    }

    private mutating func write(_ note: AccessLogNote, _ bytes: UnsafeRawBufferPointer, to out: inout TextBuffer) {
        if note.client != client { noteClient(note.client) }
        if note.time != second { noteSecond(note.time) }
        decoded.removeAll()
        let path = format.needsPath ? decode(note, bytes) : nil
        let fields = LoggedExchange(
            note, bytes, client: note.client == .unknown ? nil : clientText.bytes, path: path,
            logTime: secondText.bytes, timeZone: zone.offset, process: process)
        if isJSON { format.writeJSON(fields, to: &out) } else { format.write(fields, to: &out) }
    }

    private mutating func noteClient(_ other: ExchangeRecord.Client) {
        let before = client
        client = other
        // From the same host: another port, which no line tells of.
        if case (.ipv4(let address, _), .ipv4(let old, _)) = (other, before), address == old { return }
        if case (.ipv6(let address, _), .ipv6(let old, _)) = (other, before), address == old { return }
        clientText.removeAll()
        switch other {
        case .unknown, .unix: break
        case .ipv4(let address, _): clientText.append(ipv4: address)
        case .ipv6(let address, _): clientText.append(ipv6: address)
        }
    }

    private mutating func noteSecond(_ time: Int64) {
        second = time
        zone.update(at: time)
        secondText.removeAll()
        secondText.append(logTime: time, zone: zone.offset)
    }

    /// `PATH_INFO`: decoded, below the mount point; nil where it is not known.
    private mutating func decode(_ note: AccessLogNote, _ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard note.version != nil else { return nil }
        let head = UnsafeRawBufferPointer(rebasing: bytes[MemoryLayout<AccessLogNote>.size...])
        var path = UnsafeRawBufferPointer(rebasing: head[note.path.offsets])
        if !mount.isEmpty, let count = MountPoint.length(of: mount, in: path) {
            path = UnsafeRawBufferPointer(rebasing: path[count...])
        }
        guard FieldSyntax.hasPercent(path.bytes) else { return path }
        var count = 0
        decoded.append(room: path.count) { base in
            let target = UnsafeMutableRawBufferPointer(start: base, count: path.count)
            count = FieldSyntax.percentDecode(path.bytes, into: target)
        }
        decoded.truncate(count)
        return decoded.bytes
    }
}

/// The local time's distance from UTC. It is looked up once a quarter of an hour: no zone changes it at another moment.
struct LocalZone {
    private var quarter: Int64 = -1
    /// Seconds, east is positive.
    private(set) var offset = 0

    mutating func update(at time: Int64) {
        guard time / 900 != quarter else { return }
        quarter = time / 900
        offset = Clock.zoneOffset(at: time)
    }
}
