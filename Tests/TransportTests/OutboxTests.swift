import Glibc
import Platform
import Testing

@testable import Transport

@Suite final class OutboxTests {
    private let sender: Descriptor
    private let receiver: Descriptor
    private var outbox = Outbox()
    private var releases: [UnsafeMutableRawPointer] = []
    private var received: [UInt8] = []

    init() throws {
        var pair: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &pair) == 0)
        sender = Descriptor(rawValue: pair[0])
        receiver = Descriptor(rawValue: pair[1])
    }

    deinit {
        sender.close()
        receiver.close()
    }

    /// As many turns as the socket takes. Whether all is sent.
    private func flush() throws -> Bool {
        while true {
            switch try outbox.flush(to: Channel(socket: sender), releasing: &releases) {
            case .done: return true
            // What was written a moment ago is in memory.
            case .full, .needsDisk: return false
            case .turnOver: continue
            }
        }
    }

    private func append(_ text: String) {
        Array(text.utf8).withUnsafeBytes { outbox.append(copying: $0) }
    }

    private func receive() throws {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case .processed(let count) = try chunk.withUnsafeMutableBytes({ (room) throws(SystemError) in
            try receiver.receive(into: room)
        }), count > 0 {
            received += chunk[..<count]
        }
    }

    private func temporaryFile(_ bytes: [UInt8]) throws -> Descriptor {
        let file = try Descriptor.unnamedFile(in: "/tmp")
        try bytes.withUnsafeBytes { (bytes) throws in try file.writeAll(bytes) }
        return file
    }

    @Test func anEmptyOneIsSent() throws {
        #expect(outbox.isEmpty)
        #expect(try flush())
        append("")
        #expect(outbox.isEmpty)
        #expect(outbox.count == 0)
    }

    @Test func sendsEverythingInOrder() throws {
        let owner = UnsafeMutableRawPointer.allocate(byteCount: 3, alignment: 1)
        defer { owner.deallocate() }
        owner.copyMemory(from: "two", byteCount: 3)
        append("one ")
        outbox.append(UnsafeRawBufferPointer(start: owner, count: 3), owner: owner)
        append(" three ")
        outbox.append(FilePart(.owned(try temporaryFile(Array("a four b".utf8))), offset: 2, count: 4, spool: nil))
        append(" five")
        #expect(outbox.count == 23)
        #expect(try flush())
        #expect(outbox.isEmpty)
        #expect(outbox.count == 0)
        try receive()
        #expect(String(decoding: received, as: UTF8.self) == "one two three four five")
        #expect(releases == [owner])
    }

    @Test func keepsItsPlaceWhenTheSocketIsFull() throws {
        let body = pattern(3_000_000)
        try body.withUnsafeBytes { bytes in
            let owner = UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
            append("head")
            outbox.append(bytes, owner: owner)
            outbox.append(FilePart(.owned(try temporaryFile(body)), offset: 0, count: body.count, spool: nil))
            bytes.withMemoryRebound(to: UInt8.self) { outbox.append(copying: UnsafeRawBufferPointer($0)) }
            let total = 4 + 3 * body.count
            #expect(try !flush())
            #expect(releases.isEmpty)
            while try !flush() {
                try receive()
                #expect(outbox.count >= total - received.count - 1_000_000)
                #expect(outbox.count <= total - received.count)
            }
            try receive()
            #expect(received == Array("head".utf8) + body + body + body)
            #expect(releases == [owner])
        }
    }

    @Test func emptyRunsGiveTheirOwnersBack() throws {
        let owner = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
        defer { owner.deallocate() }
        outbox.append(UnsafeRawBufferPointer(start: nil, count: 0), owner: owner)
        outbox.append(FilePart(.owned(try temporaryFile([])), offset: 0, count: 0, spool: nil))
        #expect(!outbox.isEmpty)
        #expect(try flush())
        #expect(releases == [owner])
    }

    /// An application may yield a great many small blocks to a client that reads none of them.
    @Test func smallCopiesAreKeptTogether() throws {
        var expected: [UInt8] = []
        for byte in pattern(200_000) {
            withUnsafeBytes(of: byte) { outbox.append(copying: $0) }
            expected.append(byte)
        }
        #expect(outbox.count == 200_000)
        #expect(outbox.segmentCount < 10)
        while try !flush() { try receive() }
        try receive()
        #expect(received == expected)
    }

    /// What is joined to a run of which a part is sent already comes behind it, once.
    @Test func copiesMayFollowAPartialSend() throws {
        var expected = pattern(1_000_000)
        expected.withUnsafeBytes { outbox.append(copying: $0) }
        #expect(try !flush())
        for text in ["one", "two", "three"] {
            append(text)
            expected += Array(text.utf8)
            _ = try flush()
        }
        while try !flush() { try receive() }
        try receive()
        #expect(received == expected)
    }

    @Test func filesAreClosedOnceTheyAreSentOrGivenUp() throws {
        for isSent in [true, false] {
            let file = try temporaryFile([1, 2, 3])
            // Another number for the same file tells how many there were: it would be readable still.
            var before = stat()
            #expect(fstat(file.rawValue, &before) == 0)
            outbox.append(FilePart(.owned(file), offset: 0, count: 3, spool: nil))
            if isSent { #expect(try flush()) } else { outbox.discard(releasing: &releases) }
            // Another test may have got the number meanwhile, but not the file.
            var after = stat()
            let same =
                fstat(file.rawValue, &after) == 0 && after.st_ino == before.st_ino && after.st_dev == before.st_dev
            #expect(!same)
        }
    }

    @Test func discardingGivesEveryOwnerBack() throws {
        let owners = (0..<3).map { _ in UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1) }
        defer { for owner in owners { owner.deallocate() } }
        for owner in owners { outbox.append(UnsafeRawBufferPointer(start: owner, count: 1), owner: owner) }
        append("x")
        outbox.discard(releasing: &releases)
        #expect(releases == owners)
        #expect(outbox.isEmpty)
        #expect(outbox.count == 0)
        outbox.discard(releasing: &releases)
        #expect(releases == owners)
    }

    @Test func aLostConnectionIsAnErrorAndKeepsTheOwners() throws {
        let owner = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
        defer { owner.deallocate() }
        owner.storeBytes(of: 1, as: UInt8.self)
        outbox.append(UnsafeRawBufferPointer(start: owner, count: 1), owner: owner)
        sender.shutdownSending()
        #expect(throws: SystemError(.brokenPipe, call: "send")) { try flush() }
        #expect(releases.isEmpty)
        outbox.discard(releasing: &releases)
        #expect(releases == [owner])
    }

    @Test func aFileThatEndsEarlyIsAnError() throws {
        outbox.append(FilePart(.owned(try temporaryFile([1, 2, 3])), offset: 0, count: 4, spool: nil))
        #expect(throws: SystemError(.invalidArgument, call: "sendfile (the file has ended)")) { try flush() }
        #expect(outbox.count == 1)
        outbox.discard(releasing: &releases)
    }

    /// A client that takes everything at once has a turn, and then others have theirs.
    @Test func aTurnIsBoundedHoweverFastTheClientIs() throws {
        let size = 20_000_000
        outbox.append(FilePart(.owned(try temporaryFile(pattern(size))), offset: 0, count: size, spool: nil))
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        var turns = 0
        var largest = 0
        while !outbox.isEmpty, turns < 100_000 {
            let before = outbox.count
            _ = try outbox.flush(to: Channel(socket: sender), releasing: &releases)
            largest = max(largest, before - outbox.count)
            turns += 1
            while case .processed(let count) = try chunk.withUnsafeMutableBytes({ (room) throws(SystemError) in
                try receiver.receive(into: room)
            }), count > 0 {}
        }
        #expect(outbox.isEmpty)
        #expect(largest <= TurnBudget.sent)
    }
}
