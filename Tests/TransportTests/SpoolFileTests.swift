import Glibc
import HTTPWire
import Platform
import Testing

@testable import Transport

@Suite struct SpoolFileTests {
    private func append(_ bytes: ArraySlice<UInt8>, to file: SpoolFile) throws {
        let failure = bytes.withUnsafeBytes { (bytes) -> SystemError? in
            do throws(SystemError) { try file.append(bytes) } catch { return error }
            return nil
        }
        if let failure { throw failure }
    }

    private func content(_ file: SpoolFile) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: file.count + 1)
        let count = bytes.withUnsafeMutableBytes { (try? file.descriptor.read(into: $0, at: 0)) ?? 0 }
        return Array(bytes.prefix(count))
    }

    /// What a byte costs must not be a system call.
    @Test func bytesAreWrittenTogether() throws {
        let body = pattern(200_000)
        let file = try SpoolFile(in: "/tmp")
        var sizes: [Int] = []
        for index in body.indices {
            try append(body[index...index], to: file)
            let size = try #require(file.descriptor.regularFileSize())
            if size != sizes.last { sizes.append(size) }
        }
        #expect(sizes == [0, 65_536, 131_072, 196_608])
        #expect(file.count == body.count)
        try file.finish()
        #expect(content(file) == body)
    }

    @Test func appendsOfEverySizeKeepTheirOrder() throws {
        let body = pattern(400_000)
        let file = try SpoolFile(in: "/tmp")
        var rest = body[...]
        for size in [1, 65_535, 65_536, 1, 100_000, 65_535, 2, 3, 70_000, 4, .max] {
            try append(rest.prefix(size), to: file)
            rest = rest.dropFirst(size)
        }
        try file.finish()
        #expect(file.count == body.count)
        #expect(content(file) == body)
    }

    /// The write that was put off must not be one whose failure nobody hears of.
    @Test func whatIsPutOffFailsAtTheEnd() throws {
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        try #require(full >= 0)
        let file = SpoolFile(Descriptor(rawValue: full))
        try append([1, 2, 3], to: file)
        #expect(throws: SystemError(.noSpace, call: "write")) { try file.finish() }
    }

    @Test func aChunkedBodyOfSingleBytesIsWhole() throws {
        var limits = BodyLimits()
        limits.memory = 10
        let receipt = BodyReceipt(chunkedUnder: RequestPolicy(), limits: limits, now: 0)
        let body = pattern(100_000)
        let wire = body.flatMap { Array("1\r\n".utf8) + [$0, 0x0D, 0x0A] } + Array("0\r\n\r\n".utf8)
        let (taken, complete) = try wire.withUnsafeBytes { (bytes) throws(BodyReceiptFault) in
            try receipt.take(bytes)
        }
        #expect(taken == wire.count && complete)
        guard case .file(let file) = receipt.body else {
            Issue.record("the body is not in a file")
            return
        }
        #expect(content(file) == body)
    }
}
