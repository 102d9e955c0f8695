import HTTPServer
import HTTPWire
import Platform

@testable import Transport

/// What the tests' application answers: where the request's parts were found, so that a test sees it from outside.
enum Answer {
    /// For example `POST /upload memory 5 hello`. Of a long body, the length and a checksum.
    static func line(_ connection: Connection, on bench: Workbench) -> String {
        let method = String(decoding: bench.bytes(bench.parser.head.method), as: UTF8.self)
        let target = String(decoding: bench.bytes(bench.parser.head.target), as: UTF8.self)
        let (place, body) = content(of: connection.body, on: bench)
        return line(method, target, place, body)
    }

    static func line(_ method: String, _ target: String, _ place: String = "none", _ body: [UInt8] = []) -> String {
        guard place != "none" else { return "\(method) \(target)" }
        let shown = body.count > 64 ? "sum=\(checksum(body))" : String(decoding: body, as: UTF8.self)
        return "\(method) \(target) \(place) \(body.count) \(shown)"
    }

    static func text(_ line: String) -> String {
        "HTTP/1.1 200 OK\r\nContent-Length: \(line.utf8.count)\r\n\r\n\(line)"
    }

    static func texts(_ lines: [String]) -> String { lines.map(text).joined() }

    private static func content(of body: RequestBody, on bench: Workbench) -> (place: String, bytes: [UInt8]) {
        switch body {
        case .none: return ("none", [])
        case .inline(let offset, let count): return ("inline", Array(bench.request[offset..<offset + count]))
        case .memory(let store): return ("memory", Array(store.bytes))
        case .stream(let stream):
            return ("stream", Array(stream.available))
        case .file(let file):
            var bytes = [UInt8](repeating: 0, count: file.count)
            let count = bytes.withUnsafeMutableBytes { (try? file.descriptor.read(into: $0, at: 0)) ?? -1 }
            return ("file", Array(bytes.prefix(max(0, count))))
        }
    }

    /// FNV-1a, so that bytes in the wrong order are seen.
    private static func checksum(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

extension Connection {
    /// The body of the request that runs.
    var body: RequestBody {
        if case .running(let request) = phase { request.body } else { .none }
    }

    /// Requests begun.
    var requestCount: Int { session.requestCount }
}

/// Requests as clients write them.
enum Request {
    static func get(_ target: String, fields: String = "") -> String {
        "GET \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
    }

    static func post(_ target: String, _ body: String, fields: String = "") -> String {
        "POST \(target) HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    static func chunked(_ target: String, _ chunks: [String]) -> String {
        "POST \(target) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + chunks.map { "\(String($0.utf8.count, radix: 16))\r\n\($0)\r\n" }.joined() + "0\r\n\r\n"
    }
}

/// Bytes in which a shift or a gap shows.
func pattern(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + patternBlock.count)
    while bytes.count < count { bytes += patternBlock }
    return Array(bytes.prefix(count))
}

/// Its length is prime, so that no buffer's size is a multiple of it.
private let patternBlock: [UInt8] = (0..<65_521).map {
    UInt8(ascii: "a") &+ UInt8(truncatingIfNeeded: ($0 &* 31) ^ ($0 >> 8)) % 26
}
