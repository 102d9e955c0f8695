import HTTPServer
import HTTPWire
import Platform
import Telemetry
import Testing

/// Lines from threads to the file of the access log.
@Suite struct AccessLogTests {
    private static func log(to descriptor: Descriptor) throws -> AccessLog {
        AccessLog(format: try format, isJSON: false, mount: "", descriptor: descriptor)
    }

    private static var format: AccessLogFormat { get throws { try AccessLogFormat("%({x}i)s") } }

    /// Has a line say this.
    private static func add(_ text: String, to page: AccessLogPage) {
        guard let format = try? format else { return }
        let head = Array("GET / HTTP/1.1\r\nX: \(text)\r\n\r\n".utf8)
        head.withUnsafeBytes { head in
            var record = ExchangeRecord()
            record.line = RequestLine(scanning: head.bytes)
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            page.add { AccessLogNeeds(format).write(record, head: head, response: none, excerpt: none, to: &$0) }
        }
    }

    @Test func aFlushWritesEverything() throws {
        let file = try Descriptor.unnamedFile(in: "/tmp")
        defer { file.close() }
        let log = try Self.log(to: file)
        let pages = [log.makePage(), log.makePage()]
        try log.start()
        for number in 0..<1000 { Self.add("\(number)", to: pages[number % 2]) }
        log.flush()
        let lines = try Self.text(of: file).split(separator: "\n").map { Int($0) }
        #expect(lines.count == 1000)
        // Each thread's in its order.
        #expect(lines.filter { $0! % 2 == 0 } == stride(from: 0, to: 1000, by: 2).map { $0 })
        #expect(log.takeReport() == nil)
    }

    @Test func linesOfManyThreadsStayWhole() throws {
        let file = try Descriptor.unnamedFile(in: "/tmp")
        defer { file.close() }
        let log = try Self.log(to: file)
        let pages = (0..<4).map { _ in log.makePage() }
        try log.start()
        let done = Lock(0)
        for (index, page) in pages.enumerated() {
            try Thread.start(name: "writer") {
                for number in 0..<5000 { Self.add("\(index) \(number) \(String(repeating: "x", count: 50))", to: page) }
                done.withLock { $0 += 1 }
            }
        }
        while done.withLock({ $0 }) < pages.count { Thread.sleep(.milliseconds(1)) }
        log.flush()
        let lines = try Self.text(of: file).split(separator: "\n")
        #expect(lines.count == 20_000)
        #expect(lines.allSatisfy { $0.hasSuffix(String(repeating: "x", count: 50)) && $0.count < 70 })
    }

    @Test func whatAPipeDoesNotTakeIsCounted() throws {
        let pipe = try WakePipe()
        let log = try Self.log(to: pipe.writer)
        let page = log.makePage()
        try log.start()
        let line = String(repeating: "x", count: 999)
        // The pipe, and what may wait for it, hold fewer.
        for _ in 0..<4000 { Self.add(line, to: page) }
        log.flush()
        #expect(log.takeReport() == nil)
        // Somebody reads again, for as long as there is something.
        var seen = 0
        while log.takeReport() == nil {
            seen += try Self.readAll(pipe.descriptor)
            Self.add(line, to: page)
            log.flush()
            try #require(seen < 4_000_000)
        }
        #expect(seen > 0)
    }

    @Test func piecesAreWholeLines() {
        func piece(_ bytes: [UInt8]) -> Int { bytes.withUnsafeBytes { LogOutput.piece(of: $0).count } }
        #expect(piece([]) == 0)
        #expect(piece(Array(repeating: 0x0A, count: 4096)) == 4096)
        #expect(piece(Array(repeating: 0x61, count: 3000) + [0x0A] + Array(repeating: 0x61, count: 3000)) == 3001)
        // The beginning of a line that is longer than a piece.
        #expect(piece(Array(repeating: 0x61, count: 5000)) == 4096)
    }

    private static func readAll(_ pipe: Descriptor) throws -> Int {
        try withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { buffer in
            var count = 0
            while case .processed(let more) = try pipe.read(into: buffer), more > 0 { count += more }
            return count
        }
    }

    private static func text(of file: Descriptor) throws -> String {
        let count = file.regularFileSize() ?? 0
        return try String(unsafeUninitializedCapacity: count) { buffer in
            try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
    }
}
