import Glibc
import Synchronization
import Testing

@testable import Platform

@Suite struct RelayChannelTests {
    /// A relay and its buffers, closed at the end of a test.
    private final class Relay {
        let channel: RelayChannel
        private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 100_000, alignment: 16)

        init() throws { channel = try RelayChannel() }

        deinit {
            channel.close()
            buffer.deallocate()
        }

        func send(_ text: String, _ descriptors: [Descriptor] = []) throws -> RelaySent {
            try Array(text.utf8).withUnsafeBytes { try channel.send($0, descriptors) }
        }

        func receive(
            _ channel: RelayChannel? = nil, limit: Int = 100_000
        ) throws -> (text: String, descriptors: [Descriptor])? {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<limit])
            guard let message = try (channel ?? self.channel).receive(into: room) else { return nil }
            return (String(decoding: buffer[..<message.byteCount], as: UTF8.self), message.descriptors)
        }
    }

    private func isOpen(_ descriptor: Descriptor) -> Bool { fcntl(descriptor.rawValue, F_GETFD) >= 0 }

    private func pipe() throws -> (reading: Descriptor, writing: Descriptor) {
        var ends: [Int32] = [-1, -1]
        try #require(Glibc.pipe(&ends) == 0)
        return (Descriptor(rawValue: ends[0]), Descriptor(rawValue: ends[1]))
    }

    @Test func messagesStayApartAndInOrder() throws {
        let relay = try Relay()
        #expect(try relay.receive() == nil)
        #expect(try relay.send("one") == .sent)
        #expect(try relay.send("two") == .sent)
        #expect(relay.channel.pendingByteCount == 6)
        #expect(try relay.receive()?.text == "one")
        #expect(try relay.receive()?.text == "two")
        #expect(try relay.receive() == nil)
        #expect(relay.channel.pendingByteCount == 0)
    }

    @Test func descriptorsArriveClosedOnExecAndNameTheSameFile() throws {
        let relay = try Relay()
        let (reading, writing) = try pipe()
        #expect(try relay.send("x", [reading, writing]) == .sent)
        reading.close()
        writing.close()
        let message = try #require(try relay.receive())
        defer { for descriptor in message.descriptors { descriptor.close() } }
        try #require(message.descriptors.count == 2)
        for descriptor in message.descriptors {
            #expect(fcntl(descriptor.rawValue, F_GETFD) & FD_CLOEXEC != 0)
        }
        try Array("hi".utf8).withUnsafeBytes { try message.descriptors[1].writeAll($0) }
        var bytes: [UInt8] = [0, 0]
        #expect(read(message.descriptors[0].rawValue, &bytes, 2) == 2)
        #expect(bytes == Array("hi".utf8))
    }

    @Test func bothEndsAreClosedOnExec() throws {
        let relay = try Relay()
        for end in [relay.channel.inlet, relay.channel.outlet] {
            #expect(fcntl(end.rawValue, F_GETFD) & FD_CLOEXEC != 0)
        }
    }

    @Test func aFullRelayIsNoErrorAndTakesMoreLater() throws {
        let relay = try Relay()
        let text = String(repeating: "x", count: 400)
        var sent = 0
        while try relay.send(text) == .sent { sent += 1 }
        #expect(sent > 10)
        #expect(try relay.receive() != nil)
        #expect(try relay.send(text) == .sent)
    }

    @Test func aLargerBufferHoldsMore() throws {
        let (small, large) = (try Relay(), try Relay())
        #expect(try small.channel.resize(bytes: 20_000) < large.channel.resize(bytes: 200_000))
        func fill(_ relay: Relay) throws -> Int {
            var sent = 0
            while try relay.send("some text") == .sent { sent += 1 }
            return sent
        }
        #expect(try fill(small) < fill(large))
    }

    @Test func whatTheKernelNeverTakesIsAnError() throws {
        let relay = try Relay()
        _ = try relay.channel.resize(bytes: 10_000)
        let text = String(repeating: "x", count: 90_000)
        #expect(throws: RelayError.tooLarge(bytes: 90_000)) { try relay.send(text) }
    }

    @Test func refusesWhatCannotBeAMessage() throws {
        let relay = try Relay()
        let descriptors = [Descriptor](repeating: relay.channel.inlet, count: RelayChannel.descriptorLimit + 1)
        #expect(throws: RelayError.malformed) { try relay.send("") }
        #expect(throws: RelayError.malformed) { try relay.send("x", descriptors) }
    }

    @Test func tellsThatNobodyReceives() throws {
        let relay = try Relay()
        relay.channel.outlet.close()
        #expect(throws: RelayError.noReceiver) { try relay.send("x") }
    }

    @Test func whatWasSentSurvivesItsSender() throws {
        let channel = try RelayChannel()
        let (reading, writing) = try pipe()
        defer { reading.close() }
        #expect(try [UInt8]([1]).withUnsafeBytes { try channel.send($0, [writing]) } == .sent)
        writing.close()
        channel.inlet.close()
        defer { channel.outlet.close() }
        try withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { buffer in
            let message = try #require(try channel.receive(into: buffer))
            #expect(message.byteCount == 1 && message.descriptors.count == 1)
            for descriptor in message.descriptors { descriptor.close() }
            #expect(throws: RelayError.noSender) { try channel.receive(into: buffer) }
        }
    }

    @Test func aMessageTooLargeForTheBufferLeavesNoDescriptorBehind() throws {
        let relay = try Relay()
        let (reading, writing) = try pipe()
        defer { reading.close() }
        #expect(try relay.send("0123456789", [writing]) == .sent)
        writing.close()
        #expect(throws: RelayError.truncated) { try relay.receive(limit: 4) }
        // The last copy of the writing end is closed: the pipe is at its end.
        var byte: UInt8 = 0
        #expect(read(reading.rawValue, &byte, 1) == 0)
    }

    // MARK: What a kernel does not do at will

    /// The kernel, but for one call.
    private func channel(
        _ relay: Relay, _ change: (inout RelayChannel.Kernel) -> Void
    ) -> RelayChannel {
        var kernel = RelayChannel.Kernel()
        change(&kernel)
        return relay.channel.with(kernel)
    }

    @Test(arguments: [
        (EAGAIN, RelaySent.full), (ETOOMANYREFS, .tooManyOnTheWay), (ENOBUFS, .noMemory), (ENOMEM, .noMemory),
    ]) func whatPassesLeavesTheDescriptorsWithTheSender(_ errno: Int32, _ expected: RelaySent) throws {
        let relay = try Relay()
        let (reading, writing) = try pipe()
        defer {
            reading.close()
            writing.close()
        }
        let channel = channel(relay) { $0.send = { _, _, _ in Errno(rawValue: errno) } }
        #expect(try [UInt8]([1]).withUnsafeBytes { try channel.send($0, [writing]) } == expected)
        #expect(isOpen(writing))
        #expect(try relay.receive() == nil)
    }

    @Test(arguments: [
        (EMSGSIZE, RelayError.tooLarge(bytes: 1)), (EPIPE, .noReceiver), (ECONNRESET, .noReceiver),
        (EBADF, .failed(SystemError(Errno(rawValue: EBADF), call: "sendmsg"))),
    ]) func whatDoesNotPassIsNamed(_ errno: Int32, _ expected: RelayError) throws {
        let relay = try Relay()
        let channel = channel(relay) { $0.send = { _, _, _ in Errno(rawValue: errno) } }
        #expect(throws: expected) { try [UInt8]([1]).withUnsafeBytes { try channel.send($0, []) } }
    }

    @Test(arguments: [EMFILE, ENFILE]) func withoutRoomTheMessageStaysInTheQueue(_ errno: Int32) throws {
        let relay = try Relay()
        let (reading, writing) = try pipe()
        defer {
            reading.close()
            writing.close()
        }
        #expect(try relay.send("kept", [writing]) == .sent)
        let channel = channel(relay) { $0.missingRoom = { _, _ in Errno(rawValue: errno) } }
        #expect(throws: RelayError.noRoomForDescriptors(Errno(rawValue: errno))) { try relay.receive(channel) }
        let message = try #require(try relay.receive())
        #expect(message.text == "kept" && message.descriptors.count == 1)
        for descriptor in message.descriptors { descriptor.close() }
    }

    /// The kernel had room for one of two: that one is closed, so that the connection is lost and not leaked.
    @Test func whenDescriptorsAreLostTheOthersAreClosed() throws {
        let relay = try Relay()
        let (reading, writing) = try pipe()
        defer { reading.close() }
        let channel = channel(relay) {
            $0.receive = { _, _ in
                .success(.init(byteCount: 1, descriptors: [writing], isTruncated: false, lostDescriptors: true))
            }
        }
        #expect(throws: RelayError.descriptorsLost(arrived: 1)) { try relay.receive(channel) }
        // The only writing end is closed: the pipe is at its end.
        var byte: UInt8 = 0
        #expect(read(reading.rawValue, &byte, 1) == 0)
    }

    @Test func aFailingReceiveIsNamed() throws {
        let relay = try Relay()
        let error = SystemError(Errno(rawValue: ENOTSOCK), call: "recvmsg")
        let channel = channel(relay) { $0.receive = { _, _ in .failure(error) } }
        #expect(throws: RelayError.failed(error)) { try relay.receive(channel) }
    }

    /// Every descriptor that was posted is one that was adopted: nothing is left of a hundred thousand parcels, some of
    /// which waited, and some found the queue full.
    @Test func nothingLeaksOverManyMessages() throws {
        let relay = try Relay()
        let (reading, writing) = try pipe()
        defer { reading.close() }
        var (sent, received, refused) = (0, 0, 0)
        let bytes = Array("parcel".utf8)
        try withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
            while received < 200_000 {
                while sent < 100_000 {
                    guard try bytes.withUnsafeBytes({ try relay.channel.send($0, [writing, writing]) }) == .sent else {
                        refused += 1
                        break
                    }
                    sent += 1
                }
                while let message = try relay.channel.receive(into: buffer, room: 2) {
                    received += message.descriptors.count
                    for descriptor in message.descriptors { descriptor.close() }
                }
            }
        }
        writing.close()
        #expect(sent == 100_000 && received == 200_000 && refused > 0)
        var byte: UInt8 = 0
        #expect(read(reading.rawValue, &byte, 1) == 0)
    }
}
