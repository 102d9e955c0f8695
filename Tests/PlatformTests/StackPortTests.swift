import Platform
import Testing

struct StackPortTests {
    /// At the position that the file has then, as whoever answers does not.
    private func write(_ bytes: [UInt8], at offset: Int, _ port: StackPort) throws {
        let room = [UInt8](repeating: 0, count: offset - port.writtenCount)
        try room.withUnsafeBytes { try port.file.writeAll($0) }
        try bytes.withUnsafeBytes { try port.file.writeAll($0) }
        port.rewind()
    }

    @Test func nobodyListensAtFirst() throws {
        let port = try StackPort()
        defer {
            port.file.close()
            port.bell.descriptor.close()
        }
        #expect(port.listener == nil)
        #expect(port.answer() == nil)
        #expect(port.writtenCount == 0)
    }

    @Test func whoListensIsTold() throws {
        let port = try StackPort()
        defer {
            port.file.close()
            port.bell.descriptor.close()
        }
        try write([0x39, 0x30, 0, 0, 59, 0, 0, 0], at: StackPort.listenerOffset, port)
        #expect(port.listener?.process == 12345)
        #expect(port.listener?.signal == Signal(rawValue: 59))
    }

    /// An answer to an earlier question is none to this one.
    @Test func anAnswerIsThereOnceItsCountIs() throws {
        let port = try StackPort()
        defer {
            port.file.close()
            port.bell.descriptor.close()
        }
        try write(Array("stack".utf8), at: StackPort.answerOffset, port)
        #expect(port.answer() == nil)
        let gap = [UInt8](repeating: 0, count: StackPort.countOffset - StackPort.answerOffset - 5)
        try write(Array("stack".utf8) + gap + [6, 0, 0, 0, 0, 0, 0, 0], at: StackPort.answerOffset, port)
        #expect(port.answer() == Array("stack".utf8))
        port.ring()
        #expect(port.answer() == nil)
        #expect(port.bell.descriptor.waitUntilReadable(milliseconds: 0))
    }

    @Test func whatAHandlerWritesIsReadFromTheBeginning() throws {
        let port = try StackPort()
        defer {
            port.file.close()
            port.bell.descriptor.close()
        }
        for text in ["Thread 1\n", "T\n"] {
            port.rewind()
            try Array(text.utf8).withUnsafeBytes { try port.file.writeAll($0) }
            #expect(port.writtenCount == text.utf8.count)
            #expect(port.written() == Array(text.utf8))
        }
    }

    @Test func aProcessHasMemory() {
        let own = ProcessMemory.of(Process.id)
        #expect(own.map { $0.resident > 1 << 20 } == true)
        #expect(own?.proportional.map { $0 > 1 << 16 } == true)
        #expect(ProcessMemory.of(Int32.max) == nil)
    }

    @Test func aListenersQueueIsCounted() throws {
        let listener = try ListeningSocket.tcp(host: "127.0.0.1", port: 0, backlog: 17)
        defer { listener.close() }
        let queue = listener.descriptor.listenQueue()
        #expect(queue?.waiting == 0)
        #expect(queue?.limit == 17)
    }
}
