import HTTPWire
import Platform
import Testing

@testable import Transport

@Suite struct BodyReceiptTests {
    private static let next = "GET / HTTP/1.1\r\n"

    private let spool = Spool.forTests()

    /// Feeds pieces, and brings to the file what is due. Returns the bytes left over, nil when incomplete.
    private func feed(_ receipt: BodyReceipt, memory: Int = 65_536, _ pieces: [ArraySlice<UInt8>]) throws -> [UInt8]? {
        for (number, piece) in pieces.enumerated() {
            try receipt.take(piece, memory: memory, spool: spool)
            while let (block, file) = receipt.takeBlock() { try file.write(block.bytes) }
            guard receipt.isComplete else { continue }
            let rest = receipt.takeRest().map { Array($0.bytes) } ?? []
            return rest + Array(pieces[(number + 1)...].joined())
        }
        return nil
    }

    private func content(_ body: RequestBody) -> (place: String, bytes: [UInt8]) {
        switch body {
        case .none: return ("none", [])
        case .inline: return ("inline", [])
        case .stream: return ("stream", [])
        case .memory(let store): return ("memory", Array(store.bytes))
        case .file(let file):
            var bytes = [UInt8](repeating: 0, count: 1000)
            let count = bytes.withUnsafeMutableBytes { (try? file.descriptor.read(into: $0, at: 0)) ?? 0 }
            return ("file", Array(bytes[..<count]))
        }
    }

    /// Every cut into two, and every cut into pieces of one size.
    private static func splits(_ bytes: [UInt8]) -> [[ArraySlice<UInt8>]] {
        (0...bytes.count).map { [bytes[..<$0], bytes[$0...]] }
            + (1...bytes.count).map { size in
                stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<min($0 + size, bytes.count)] }
            }
    }

    @Test(arguments: [(65_536, "memory"), (12, "memory"), (11, "file"), (0, "file")])
    func aBodyByLengthUnderEverySplit(memory: Int, place: String) throws {
        let body = Array("hello, world".utf8)
        for pieces in Self.splits(body + Array(Self.next.utf8)) {
            let receipt = BodyReceipt(length: body.count, now: 0)
            let rest = try feed(receipt, memory: memory, pieces)
            #expect(rest == Array(Self.next.utf8))
            #expect(receipt.body.count == body.count)
            let (found, bytes) = content(receipt.body)
            #expect(found == place)
            #expect(bytes == body)
        }
    }

    @Test(arguments: [(65_536, "memory"), (11, "file")])
    func aChunkedBodyUnderEverySplit(memory: Int, place: String) throws {
        let wire = Array("5\r\nhello\r\n7;a=\"b\"\r\n, world\r\n0\r\nT: x\r\n\r\n".utf8)
        for pieces in Self.splits(wire + Array(Self.next.utf8)) {
            let receipt = BodyReceipt(chunkedUnder: RequestPolicy(), now: 0)
            let rest = try feed(receipt, memory: memory, pieces)
            #expect(rest == Array(Self.next.utf8))
            let (found, bytes) = content(receipt.body)
            #expect(found == place)
            #expect(bytes == Array("hello, world".utf8))
        }
    }

    @Test func anEmptyChunkedBodyIsNone() throws {
        let receipt = BodyReceipt(chunkedUnder: RequestPolicy(), now: 0)
        #expect(try feed(receipt, [Array("0\r\n\r\n".utf8)[...]]) == [])
        #expect(content(receipt.body).place == "none")
    }

    @Test func anIncompleteBodyIsNotComplete() throws {
        let wire = Array("5\r\nhello\r\n0\r\n\r\n".utf8)
        for count in 0..<wire.count {
            let receipt = BodyReceipt(chunkedUnder: RequestPolicy(), now: 0)
            #expect(try feed(receipt, [wire[..<count]]) == nil)
        }
    }

    @Test func theLimitHoldsUnderEverySplit() throws {
        let wire = Array("5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n".utf8)
        var policy = RequestPolicy()
        for pieces in Self.splits(wire) {
            policy.limitRequestBody = 12
            let exact = BodyReceipt(chunkedUnder: policy, now: 0)
            #expect(try feed(exact, pieces) == [])
            policy.limitRequestBody = 11
            let over = BodyReceipt(chunkedUnder: policy, now: 0)
            #expect {
                try feed(over, pieces)
            } throws: { error in
                (error as? WireError)?.id == WireError(.bodyTooLarge).id
            }
        }
    }

    @Test func aFaultOfTheWireKeepsItsName() throws {
        for pieces in Self.splits(Array("5\r\nhello0\r\n\r\n".utf8)) {
            let receipt = BodyReceipt(chunkedUnder: RequestPolicy(), now: 0)
            #expect {
                try feed(receipt, pieces)
            } throws: { error in
                (error as? WireError)?.id == WireError(.missingChunkTerminator).id
            }
        }
    }

    /// Only what is worth a write is written before the end, and nothing is complete in memory that must be in a file.
    @Test func blocksAreDueOnceTheyAreLargeEnough() throws {
        let receipt = BodyReceipt(length: BodySink.blockSize + 10, now: 0)
        let body = pattern(BodySink.blockSize + 10)
        func take(_ range: Range<Int>) throws {
            try receipt.take(body[range], memory: 10, spool: spool)
        }
        try take(0..<(BodySink.blockSize - 1))
        #expect(receipt.takeBlock() == nil)
        #expect(receipt.memoryCount == BodySink.blockSize - 1)
        try take((BodySink.blockSize - 1)..<BodySink.blockSize)
        let (block, _) = try #require(receipt.takeBlock())
        #expect(block.count == BodySink.blockSize)
        try take(BodySink.blockSize..<body.count)
        #expect(receipt.isComplete)
        #expect(receipt.takeBlock()?.block.count == 10)
        #expect(receipt.memoryCount == 0)
    }
}
