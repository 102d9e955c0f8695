import HTTPWire
import Platform
import Testing

@testable import Transport

@Suite struct BodyReceiptTests {
    private static let next = "GET / HTTP/1.1\r\n"

    private static func limits(memory: Int) -> BodyLimits {
        var limits = BodyLimits()
        limits.memory = memory
        return limits
    }

    /// Feeds pieces, each with what was not taken of the one before. Returns the bytes left over, nil when incomplete.
    private func feed(_ receipt: BodyReceipt, _ pieces: [ArraySlice<UInt8>]) throws -> [UInt8]? {
        for (number, piece) in pieces.enumerated() {
            let (taken, complete) = try piece.withUnsafeBytes { (bytes) throws(BodyReceiptFault) in
                try receipt.take(bytes)
            }
            if complete { return Array(piece.dropFirst(taken)) + Array(pieces[(number + 1)...].joined()) }
            #expect(taken == piece.count)
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
            let receipt = BodyReceipt(length: body.count, limits: Self.limits(memory: memory), now: 0)
            let rest = try feed(receipt, pieces)
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
            let receipt = BodyReceipt(chunkedUnder: RequestPolicy(), limits: Self.limits(memory: memory), now: 0)
            let rest = try feed(receipt, pieces)
            #expect(rest == Array(Self.next.utf8))
            let (found, bytes) = content(receipt.body)
            #expect(found == place)
            #expect(bytes == Array("hello, world".utf8))
        }
    }

    @Test func anEmptyChunkedBodyIsNone() throws {
        let receipt = BodyReceipt(chunkedUnder: RequestPolicy(), limits: BodyLimits(), now: 0)
        #expect(try feed(receipt, [Array("0\r\n\r\n".utf8)[...]]) == [])
        #expect(content(receipt.body).place == "none")
    }

    @Test func anIncompleteBodyIsNotComplete() throws {
        let wire = Array("5\r\nhello\r\n0\r\n\r\n".utf8)
        for count in 0..<wire.count {
            let receipt = BodyReceipt(chunkedUnder: RequestPolicy(), limits: BodyLimits(), now: 0)
            #expect(try feed(receipt, [wire[..<count]]) == nil)
        }
    }

    @Test func theLimitHoldsUnderEverySplit() throws {
        let wire = Array("5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n".utf8)
        var policy = RequestPolicy()
        for pieces in Self.splits(wire) {
            policy.limitRequestBody = 12
            let exact = BodyReceipt(chunkedUnder: policy, limits: BodyLimits(), now: 0)
            #expect(try feed(exact, pieces) == [])
            policy.limitRequestBody = 11
            let over = BodyReceipt(chunkedUnder: policy, limits: BodyLimits(), now: 0)
            #expect {
                try feed(over, pieces)
            } throws: { error in
                if case BodyReceiptFault.wire(let fault) = error {
                    fault.id == WireError(.bodyTooLarge).id
                } else {
                    false
                }
            }
        }
    }

    @Test func aFaultOfTheWireKeepsItsName() throws {
        for pieces in Self.splits(Array("5\r\nhello0\r\n\r\n".utf8)) {
            let receipt = BodyReceipt(chunkedUnder: RequestPolicy(), limits: BodyLimits(), now: 0)
            #expect {
                try feed(receipt, pieces)
            } throws: { error in
                if case BodyReceiptFault.wire(let fault) = error {
                    fault.id == WireError(.missingChunkTerminator).id
                } else {
                    false
                }
            }
        }
    }

    @Test func aSpoolThatCannotBeMadeSaysWhy() throws {
        var limits = Self.limits(memory: 0)
        limits.spoolDirectory = "/nonexistent"
        let receipt = BodyReceipt(length: 1, limits: limits, now: 0)
        #expect {
            try feed(receipt, [[1]])
        } throws: { error in
            if case BodyReceiptFault.spoolFailed(let cause) = error { cause.errno == .noSuchFile } else { false }
        }
    }
}
