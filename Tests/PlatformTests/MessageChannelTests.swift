import Testing

@testable import Platform

@Suite struct MessageChannelTests {
    @Test func messagesStayWholeAndInOrder() throws {
        let channel = try MessageChannel()
        defer { close(channel) }
        #expect(channel.receive() == nil)
        #expect(channel.send([1]))
        #expect(channel.send([2, 3, 4]))
        #expect(channel.send([UInt8](repeating: 5, count: 10_000)))
        #expect(channel.receive() == [1])
        #expect(channel.receive() == [2, 3, 4])
        #expect(channel.receive()?.count == 10_000)
        #expect(channel.receive() == nil)
    }

    @Test func withoutAReaderNothingIsSent() throws {
        let channel = try MessageChannel()
        channel.receiving.close()
        #expect(!channel.send([1]))
        channel.sending.close()
    }

    @Test func aFullChannelIsNotWaitedForForEver() throws {
        let channel = try MessageChannel()
        defer { close(channel) }
        let message = [UInt8](repeating: 0, count: 60_000)
        var sent = 0
        while sent < 1000, channel.send(message) { sent += 1 }
        #expect(sent > 0 && sent < 1000)
        #expect(channel.receive() == message)
        #expect(channel.send(message))
    }

    private func close(_ channel: MessageChannel) {
        channel.receiving.close()
        channel.sending.close()
    }
}
