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

    // MARK: Bytes that nobody copies

    /// Puts bytes where they are written from; whether there was room for as many.
    private func put(_ bytes: ArraySlice<UInt8>, into receipt: BodyReceipt) -> Bool {
        guard let room = receipt.room(atMost: bytes.count), room.count == bytes.count else { return false }
        room.copyBytes(from: bytes)
        receipt.fill(bytes.count)
        return true
    }

    /// A receipt of a body of so many bytes, whose first is in its file already.
    private func receiptInFile(length: Int, first: UInt8) throws -> BodyReceipt {
        let receipt = BodyReceipt(length: length, now: 0)
        try receipt.take([first], memory: 0, spool: spool)
        return receipt
    }

    @Test func thereIsNoRoomForBytesThatHaveToBeLookedAt() throws {
        let chunked = BodyReceipt(chunkedUnder: RequestPolicy(), now: 0)
        try chunked.take(Array("1\r\nx\r\n".utf8)[...], memory: 0, spool: spool)
        chunked.note(flows: true)
        #expect(chunked.room(atMost: 10) == nil)
        let inMemory = BodyReceipt(length: 10, now: 0)
        try inMemory.take([1], memory: 10, spool: spool)
        inMemory.note(flows: true)
        #expect(inMemory.room(atMost: 10) == nil)
        // One that waits for its client gets no memory ahead.
        let slow = try receiptInFile(length: 10, first: 1)
        #expect(slow.room(atMost: 10) == nil)
        slow.note(flows: true)
        #expect(slow.room(atMost: 10)?.count == 9)
        slow.note(flows: false)
        #expect(slow.room(atMost: 10) == nil)
    }

    /// In pieces of every size, and never a byte behind the end.
    @Test(arguments: [1, 7, 64, 99, 200])
    func whatIsPutIntoTheRoomIsTheBody(piece: Int) throws {
        let body = pattern(100)
        let receipt = try receiptInFile(length: body.count, first: body[0])
        receipt.note(flows: true)
        var rest = body[1...]
        while !rest.isEmpty {
            #expect(!receipt.isComplete)
            #expect(receipt.room(atMost: piece)?.count == min(piece, rest.count))
            #expect(put(rest.prefix(piece), into: receipt))
            rest = rest.dropFirst(piece)
            #expect(receipt.progress.received == body.count - rest.count)
        }
        #expect(receipt.isComplete && receipt.room(atMost: 1) == nil && receipt.memoryCount == body.count)
        let (block, file) = try #require(receipt.takeBlock())
        try file.write(block.bytes)
        #expect(content(receipt.body).bytes == body)
    }

    /// Bytes that were read for others before, and bytes that nobody copied, in the order in which they came.
    @Test func bothWaysOfBytesMakeOneBody() throws {
        let body = pattern(90)
        let receipt = try receiptInFile(length: body.count, first: body[0])
        receipt.note(flows: true)
        for start in stride(from: 1, to: body.count, by: 10) {
            let bytes = body[start..<min(start + 10, body.count)]
            if start % 20 == 1 {
                #expect(put(bytes, into: receipt))
            } else {
                try receipt.take(bytes, memory: 0, spool: spool)
            }
        }
        let (block, file) = try #require(receipt.takeBlock())
        try file.write(block.bytes)
        #expect(content(receipt.body).bytes == body)
    }

    /// The memory of a block that was written is filled again; one that stops sending gives it back.
    @Test func memoryIsUsedAgainWhileTheClientIsFast() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        #expect(loop.run { loop.reactor.connectionCount == 1 })
        let connection = try #require(loop.reactor.connections.first { _ in true })
        let size = 2 * BodySink.fastBlockSize
        let receipt = try receiptInFile(length: 2 * size, first: 0)
        receipt.note(flows: true)
        #expect(put(pattern(size)[...], into: receipt))
        let write = try #require(receipt.beginWrite(for: connection, in: spool, isFast: true))
        #expect(receipt.isAtDisk && receipt.memoryCount == write.byteCount)
        #expect(receipt.beginWrite(for: connection, in: spool, isFast: true) == nil)
        let memory = write.block.bytes.baseAddress
        write.run()
        try receipt.endWrite(now: 1, isFast: true)
        #expect(!receipt.isAtDisk && receipt.memoryCount == 0 && receipt.lastProgress == 1)
        #expect(receipt.room(atMost: size)?.baseAddress.map { UnsafeRawPointer($0) } == memory)
        // Nothing was put there. A client that pauses keeps no memory busy.
        receipt.note(flows: false)
        receipt.note(flows: true)
        #expect(put([1, 2, 3], into: receipt))
        #expect(receipt.memoryCount == 3)
        client.close()
    }

    /// The first block is in the file, the second has no room there: the body has none.
    @Test func aWriteThatFailsIsTold() throws {
        let loop = try ForeignLoop()
        let client = try loop.client()
        #expect(loop.run { loop.reactor.connectionCount == 1 })
        let connection = try #require(loop.reactor.connections.first { _ in true })
        let small = Spool.forTests(limit: 100_000)
        let receipt = BodyReceipt(length: 300_000, now: 0)
        for (count, isFine) in [(80_000, true), (80_000, false)] {
            try receipt.take(pattern(count)[...], memory: 0, spool: small)
            let write = try #require(receipt.beginWrite(for: connection, in: small, isFast: false))
            write.run()
            let fault = { () -> SpoolFault? in
                do throws(SpoolFault) { try receipt.endWrite(now: 1, isFast: false) } catch { return error }
                return nil
            }()
            #expect(fault == (isFine ? nil : .limitReached))
        }
        client.close()
    }
}
