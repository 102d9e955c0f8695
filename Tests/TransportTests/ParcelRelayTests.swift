import Glibc
import Platform
import Testing

@testable import Transport

/// A parcel, its socket and its body's file through a real relay.
@Suite struct ParcelRelayTests {
    private func pair() throws -> (client: Descriptor, server: Descriptor) {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        return (Descriptor(rawValue: ends[0]), Descriptor(rawValue: ends[1]))
    }

    @Test func aConnectionWithAnUploadArrivesWhole() throws {
        let relay = try RelayChannel()
        defer { relay.close() }
        let (client, server) = try pair()
        defer { client.close() }
        let file = try Descriptor.unnamedFile(in: "/tmp")
        let upload = [UInt8](repeating: 7, count: 300_000)
        try upload.withUnsafeBytes { try file.writeAll($0) }

        var parcel = Parcel(peer: .ipv4(address: 0x7F00_0001, port: 5000))
        parcel.phase = .held
        parcel.body = .file(count: upload.count)
        parcel.requestCount = 4
        let head = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n".utf8)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Parcel.sizeLimit, alignment: 16)
        defer { buffer.deallocate() }
        let size = try head.withUnsafeBytes { try parcel.encode(ParcelBytes(received: $0), into: buffer) }
        #expect(try relay.send(UnsafeRawBufferPointer(rebasing: buffer[..<size]), [server, file]) == .sent)
        server.close()
        file.close()
        buffer.initializeMemory(as: UInt8.self, repeating: 0)

        let message = try #require(try relay.receive(into: buffer, room: 2))
        let (adopted, bytes) = try Parcel.decode(
            UnsafeRawBufferPointer(rebasing: buffer[..<message.byteCount]), descriptors: message.descriptors.count)
        #expect(adopted == parcel && Array(bytes.received) == head)
        let (socket, body) = (message.descriptors[0], message.descriptors[1])
        #expect(body.regularFileSize() == upload.count)
        var first: UInt8 = 0
        #expect(try withUnsafeMutableBytes(of: &first) { try body.read(into: $0, at: upload.count - 1) } == 1)
        #expect(first == 7)

        // It is the client's connection, and closing it ends it: no copy was left behind.
        try Array("ok".utf8).withUnsafeBytes { try socket.writeAll($0) }
        var answer: [UInt8] = [0, 0, 0]
        #expect(read(client.rawValue, &answer, 3) == 2)
        socket.close()
        body.close()
        #expect(read(client.rawValue, &answer, 3) == 0)
    }

    /// The largest parcel there can be goes through a relay as the system makes it.
    @Test func theLargestParcelFits() throws {
        let relay = try RelayChannel()
        defer { relay.close() }
        let (client, server) = try pair()
        defer { client.close() }
        var parcel = Parcel(peer: .unix(path: String(repeating: "p", count: 108)))
        parcel.phase = .head
        let received = [UInt8](repeating: 65, count: Parcel.byteLimit)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Parcel.sizeLimit, alignment: 16)
        defer { buffer.deallocate() }
        let size = try received.withUnsafeBytes { try parcel.encode(ParcelBytes(received: $0), into: buffer) }
        #expect(try relay.send(UnsafeRawBufferPointer(rebasing: buffer[..<size]), [server]) == .sent)
        server.close()
        let message = try #require(try relay.receive(into: buffer, room: 2))
        #expect(message.byteCount == size && message.descriptors.count == 1)
        for descriptor in message.descriptors { descriptor.close() }
    }
}
