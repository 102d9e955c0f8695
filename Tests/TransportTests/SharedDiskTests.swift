import Glibc
import HTTPWire
import Platform
import Testing

@testable import Transport

/// Threads that pass the baton, and the disk's thread beside them. The thread sanitizer watches in `make sanitize`.
@Suite struct SharedDiskTests {
    private static let size = 3 << 20
    private static let content = pattern(size)

    /// Answers a body with what it was, and anything else with a file; what waits in memory goes to a file too.
    private static let application: @Sendable (Connection, Workbench) -> Bool = { connection, bench in
        var releases: [UnsafeMutableRawPointer] = []
        if bench.parser.head.knownMethod == .post {
            let answer = Array(Answer.text(Answer.line(connection, on: bench)).utf8)
            answer.withUnsafeBytes { try? connection.transmit($0, releasing: &releases) }
            return true
        }
        let isFile = bench.bytes(bench.parser.head.target).count == "/file".utf8.count
        let head = Array("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n".utf8)
        head.withUnsafeBytes { try? connection.transmit($0, releasing: &releases) }
        if isFile {
            guard let file = try? Descriptor.unnamedFile(in: "/tmp") else { return false }
            content.withUnsafeBytes { try? file.writeAll($0) }
            try? connection.transmit(file: file, offset: 0, count: size, releasing: &releases)
        } else {
            for start in stride(from: 0, to: size, by: 100_000) {
                content[start..<min(start + 100_000, size)].withUnsafeBytes {
                    try? connection.transmit($0, releasing: &releases)
                }
                if connection.pendingMemoryCount > 200_000 {
                    _ = connection.spill(keeping: 100_000, limit: 1 << 30, releasing: &releases)
                    try? connection.sendPendingOutput(releasing: &releases)
                }
            }
        }
        return true
    }

    @Test(arguments: [1, 3])
    func uploadsAndDownloadsAreWhole(runners: Int) throws {
        let crew = try LoopbackCrew(application: Self.application)
        try crew.start(runners: runners)
        let body = pattern(300_000)
        let head = Array("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n".utf8)
        let answer = Answer.text(Answer.line("POST", "/a", "file", body))
        var uploads = try (0..<3).map { _ in (client: try LoopbackClient(port: crew.port), rest: (head + body)[...]) }
        let files = try (0..<3).map { _ in try LoopbackClient(port: crew.port, receiveBuffer: 65_536) }
        let streams = try (0..<3).map { _ in try LoopbackClient(port: crew.port, receiveBuffer: 65_536) }
        for client in files { client.send(Request.get("/file")) }
        for client in streams { client.send(Request.get("/stream")) }
        // Clients that leave in the middle.
        for _ in 0..<3 {
            let client = try LoopbackClient(port: crew.port, receiveBuffer: 4096)
            client.send(Request.get("/file"))
            client.reset()
        }
        let length = "HTTP/1.1 200 OK\r\nContent-Length: \(Self.size)\r\n\r\n".utf8.count + Self.size
        let deadline = Clock.now() + .seconds(60)
        var isDone = false
        while !isDone, Clock.now() < deadline {
            isDone = true
            for number in uploads.indices {
                uploads[number].rest = uploads[number].rest.dropFirst(
                    uploads[number].client.offer(uploads[number].rest))
                if !uploads[number].client.has(answer) { isDone = false }
            }
            for client in files + streams where !client.has(count: length) { isDone = false }
            _ = uploads[0].client.wait(milliseconds: 1)
        }
        #expect(isDone)
        for upload in uploads { #expect(upload.client.text == answer) }
        for client in files + streams { #expect(client.received.suffix(Self.size).elementsEqual(Self.content)) }
        for client in uploads.map(\.client) + files + streams { client.close() }
        #expect(crew.end(seconds: 30))
    }
}
