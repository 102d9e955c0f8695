@testable import Telemetry

/// An exchange, and the line that is expected of it. Text is in characters of ISO 8859-1, as in an environ.
struct AccessLogCase: Sendable {
    var format = AccessLogFormat.standard
    var expected = ""
    var method: String? = "GET"
    var target: String? = "/a?b=c"
    var version: String? = "HTTP/1.1"
    var path: String? = "/a"
    var query: String? = "b=c"
    var address: String? = "127.0.0.1"
    var status = 200
    var sent: Int? = 12
    var microseconds: UInt64 = 1234
    var request: [(String, String)] = []
    var response: [(String, String)] = []
    var environ: [(String, String)] = []
    var time: Int64 = 784_111_777
    var timeZone = 0

    func line(json: Bool = false) throws -> String {
        let format = try AccessLogFormat(format)
        var out = TextBuffer()
        let fields = Fields(self)
        if json { format.writeJSON(fields, to: &out) } else { format.write(fields, to: &out) }
        return String(decoding: out.bytes, as: UTF8.self)
    }

    /// Keeps every text in memory of its own for as long as it lives.
    final class Fields: AccessLogFields {
        private var kept: [UnsafeMutableRawBufferPointer] = []
        private let request, response: [(String, Bytes)]
        private let environ: [(String, Bytes)]
        private(set) var remoteAddress, method, target, version, path, query: Bytes?
        let status: Int
        let bytesSent: Int?
        let duration: UInt64
        let time: Int64
        let timeZone: Int
        let process = 4321

        init(_ example: AccessLogCase) {
            var kept: [UnsafeMutableRawBufferPointer] = []
            func keep(_ text: String) -> Bytes {
                let latin = text.unicodeScalars.map { UInt8($0.value) }
                let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: latin.count, alignment: 1)
                memory.copyBytes(from: latin)
                kept.append(memory)
                return Bytes(memory)
            }
            func keep(_ pairs: [(String, String)]) -> [(String, Bytes)] { pairs.map { ($0.lowercased(), keep($1)) } }
            request = keep(example.request)
            response = keep(example.response)
            environ = keep(example.environ)
            remoteAddress = example.address.map(keep)
            method = example.method.map(keep)
            target = example.target.map(keep)
            version = example.version.map(keep)
            path = example.path.map(keep)
            query = example.query.map(keep)
            status = example.status
            bytesSent = example.sent
            duration = example.microseconds * 1000 + 999
            time = example.time
            timeZone = example.timeZone
            self.kept = kept
        }

        deinit { for memory in kept { memory.deallocate() } }

        private func find(_ name: Bytes, _ fields: [(String, Bytes)]) -> Bytes? {
            fields.last { $0.0 == String(decoding: name, as: UTF8.self) }?.1
        }

        func requestField(_ name: Bytes) -> Bytes? { find(name, request) }
        func responseField(_ name: Bytes) -> Bytes? { find(name, response) }
        func environEntry(_ name: Bytes) -> AccessLogText? {
            find(name, environ).map { AccessLogText($0, isUTF8: false) }
        }
    }
}
