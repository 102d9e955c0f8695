import Glibc
import HTTPWire
import Platform
import Testing

@testable import Transport

@Suite struct SpoolFileTests {
    private func write(_ bytes: ArraySlice<UInt8>, to file: SpoolFile) throws {
        let fault = bytes.withUnsafeBytes { (bytes) -> SpoolFault? in
            do throws(SpoolFault) { try file.write(bytes) } catch { return error }
            return nil
        }
        if let fault { throw fault }
    }

    private func content(_ file: SpoolFile) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: file.count + 1)
        let count = bytes.withUnsafeMutableBytes { (try? file.descriptor.read(into: $0, at: 0)) ?? 0 }
        return Array(bytes.prefix(count))
    }

    @Test func whatIsWrittenKeepsItsOrder() throws {
        let body = pattern(400_000)
        let file = SpoolFile(in: .forTests())
        var rest = body[...]
        for size in [1, 65_535, 0, 65_536, 1, 100_000, .max] {
            try write(rest.prefix(size), to: file)
            rest = rest.dropFirst(size)
        }
        #expect(file.count == body.count)
        #expect(content(file) == body)
    }

    @Test func aDirectoryThatIsNotThereIsAFault() {
        let file = SpoolFile(in: .forTests(in: "/nonexistent"))
        #expect(throws: SpoolFault.system(SystemError(.noSuchFile, call: "open"))) { try write([1], to: file) }
    }

    /// What is refused is not counted, and what a file had is given back with it.
    @Test func theAllowanceIsKeptAndGivenBack() throws {
        let spool = Spool.forTests(limit: 100)
        do {
            let file = SpoolFile(in: spool)
            try write(pattern(60)[...], to: file)
            #expect(spool.allowance.used == 60)
            #expect(throws: SpoolFault.limitReached) { try write(pattern(41)[...], to: file) }
            #expect(spool.allowance.used == 60)
            try write(pattern(40)[...], to: file)
            #expect(!spool.allowance.hasRoom(for: 1))
        }
        #expect(spool.allowance.used == 0)
        spool.stop()
    }

    /// A byte to each chunk: what it costs must not be a write.
    @Test func aChunkedBodyOfSingleBytesIsWrittenTogether() throws {
        let spool = Spool.forTests()
        let receipt = BodyReceipt(chunkedUnder: RequestPolicy(), now: 0)
        let body = pattern(100_000)
        let wire = body.flatMap { Array("1\r\n".utf8) + [$0, 0x0D, 0x0A] } + Array("0\r\n\r\n".utf8)
        var writes = 0
        for start in stride(from: 0, to: wire.count, by: 1000) {
            try receipt.take(wire[start..<min(start + 1000, wire.count)], memory: 10, spool: spool)
            while let (block, file) = receipt.takeBlock() {
                try file.write(block.bytes)
                writes += 1
            }
        }
        #expect(receipt.isComplete && writes == 2)
        guard case .file(let file) = receipt.body else {
            Issue.record("the body is not in a file")
            return
        }
        #expect(content(file) == body)
    }

    /// Bytes that a file still has when its last user is gone, seen by somebody who has it open too.
    private func bytesLeft(of size: Int, _ use: (SpoolFile) -> Void = { _ in }) throws -> Int {
        let spool = Spool.forTests()
        let witness: Descriptor
        do {
            let file = SpoolFile(in: spool)
            try write(pattern(size)[...], to: file)
            witness = try file.descriptor.duplicate()
            use(file)
        }
        defer { witness.close() }
        spool.stop()
        return try #require(witness.regularFileSize())
    }

    /// A large file gives its blocks back piece by piece, so that nobody waits for all of them.
    @Test func aFileIsEmptiedBeforeItIsClosed() throws {
        #expect(try bytesLeft(of: 9_000_000) <= 4 << 20)
        #expect(try bytesLeft(of: 1000) == 1000)
    }

    /// The queue of a client's socket refers to what the file has in memory, for as long as the client likes.
    @Test func aFileThatIsSentIsLeftAsItIs() throws {
        let left = try bytesLeft(of: 9_000_000) { _ = FilePart(.spool($0), offset: 0, count: 9_000_000, spool: nil) }
        #expect(left == 9_000_000)
    }

    /// It is the other worker's now.
    @Test func aFileThatWentToAnotherWorkerIsLeftAsItIs() throws {
        #expect(try bytesLeft(of: 3_500_000) { $0.lend() } == 3_500_000)
        let spool = Spool.forTests()
        let file = try Descriptor.unnamedFile(in: "/tmp")
        try pattern(3_500_000).withUnsafeBytes { try file.writeAll($0) }
        let witness = try file.duplicate()
        defer { witness.close() }
        _ = SpoolFile(file, count: 3_500_000, in: spool)
        spool.stop()
        #expect(witness.regularFileSize() == 3_500_000)
    }
}
