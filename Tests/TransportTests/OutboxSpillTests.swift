import Glibc
import Platform
import Testing

@testable import Transport

/// What waits is moved to a file: nothing is lost, nothing changes places, and owners come back.
@Suite final class OutboxSpillTests {
    private let sender: Descriptor
    private let receiver: Descriptor
    private let spool = Spool.forTests()
    private let budget = MemoryBudget(limit: 100)
    private var outbox: Outbox
    private var releases: [UnsafeMutableRawPointer] = []

    init() throws {
        outbox = Outbox(budget: budget)
        var pair: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &pair) == 0)
        sender = Descriptor(rawValue: pair[0])
        receiver = Descriptor(rawValue: pair[1])
    }

    deinit {
        spool.stop()
        sender.close()
        receiver.close()
    }

    private func append(_ text: String) {
        Array(text.utf8).withUnsafeBytes { outbox.append(copying: $0) }
    }

    private func spill(keeping: Int, to file: SpoolFile) throws {
        let begun = outbox.beginSpill(keeping: keeping)
        let spill = try #require(begun)
        let offset = file.count
        for segment in spill.segments {
            switch segment {
            case .copy(let store, let sent):
                try file.write(UnsafeRawBufferPointer(rebasing: store.bytes[sent...]))
            case .bytes(let bytes, _): try file.write(bytes)
            case .file, .spilling: Issue.record("only memory is moved")
            }
        }
        outbox.endSpill(spill, in: file, at: offset, spool: spool, releasing: &releases)
    }

    private func flushAll() throws -> String {
        let isSent = try outbox.flush(to: Channel(socket: sender), releasing: &releases) == .done
        #expect(isSent)
        var bytes = [UInt8](repeating: 0, count: 65_536)
        guard
            case .processed(let count) = try bytes.withUnsafeMutableBytes({ (room) throws(SystemError) in
                try receiver.receive(into: room)
            })
        else { return "" }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    @Test func bytesKeepTheirOrderAcrossMemoryAndFile() throws {
        let file = SpoolFile(in: spool)
        let owner = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
        defer { owner.deallocate() }
        let owned = Array("owned ".utf8)
        try owned.withUnsafeBytes { bytes in
            append("first ")
            outbox.append(bytes, owner: owner)
            append("second ")
            try spill(keeping: 3, to: file)
            #expect(releases == [owner])
            append("third ")
            try spill(keeping: 0, to: file)
            // One part of the file, however often something was put behind it.
            #expect(outbox.segmentCount == 2)
            append("fourth")
            #expect(outbox.count == 31)
            #expect(outbox.memoryCount == 12 && budget.bytes(for: .responses) == 12)
            #expect(try flushAll() == "first owned second third fourth")
        }
        #expect(outbox.isEmpty && budget.total == 0)
    }

    /// While it is written, what stands in front of it may be sent, and nothing behind it.
    @Test func nothingOvertakesWhatIsBeingWritten() throws {
        append("a")
        outbox.append(UnsafeRawBufferPointer(start: nil, count: 0), owner: UnsafeMutableRawPointer(bitPattern: 8)!)
        append("b")
        let begun = outbox.beginSpill(keeping: 1)
        let spill = try #require(begun)
        append("c")
        // There is something behind it, but one at a time.
        let isSecond = outbox.beginSpill(keeping: 0) != nil
        #expect(!isSecond)
        let isSent = try outbox.flush(to: Channel(socket: sender), releasing: &releases) == .done
        #expect(!isSent)
        #expect(!outbox.isEmpty)
        // The disk is full: everything is as before.
        outbox.cancelSpill(spill, releasing: &releases)
        #expect(try flushAll() == "abc")
        #expect(budget.total == 0)
    }

    @Test func whatIsGivenUpMeanwhileIsReleasedOnce() throws {
        let owner = UnsafeMutableRawPointer(bitPattern: 8)!
        let bytes = [UInt8](repeating: 1, count: 10)
        try bytes.withUnsafeBytes { bytes in
            for isWritten in [true, false] {
                releases = []
                outbox.append(bytes, owner: owner)
                let begun = outbox.beginSpill(keeping: 0)
                let spill = try #require(begun)
                outbox.discard(releasing: &releases)
                #expect(releases.isEmpty && outbox.count == 0)
                if isWritten {
                    outbox.endSpill(spill, in: SpoolFile(in: spool), at: 0, spool: spool, releasing: &releases)
                } else {
                    outbox.cancelSpill(spill, releasing: &releases)
                }
                #expect(releases == [owner])
                #expect(outbox.isEmpty && budget.total == 0)
            }
        }
    }
}
