import Glibc
import Testing

@testable import Platform

/// Sockets that listen on one port beside each other (`ListeningSocket+Twin.swift`).
@Suite struct ListeningTwinTests {
    @Test(arguments: ["127.0.0.1", "::1"])
    func aTwinHasTheSameAddress(host: String) throws {
        guard let shared = try? ListeningSocket.tcp(host: host, port: 0, backlog: 8, sharesPort: true) else { return }
        defer { shared.close() }
        let twin = try shared.twin()
        defer { twin.close() }
        #expect(twin.url == shared.url)
        #expect(twin.address.port == shared.address.port)
        #expect(twin.descriptor != shared.descriptor)
    }

    @Test func beforeItListensAllComeToTheOther() throws {
        let shared = try ListeningSocket.tcp(host: "127.0.0.1", port: 0, backlog: 64, sharesPort: true)
        defer { shared.close() }
        let twin = try shared.twin()
        defer { twin.close() }
        let before = try connect(20, to: shared)
        defer { for client in before { client.close() } }
        #expect(try accepted(20, by: shared) == [20])

        try twin.startListening(backlog: 64)
        let after = try connect(64, to: shared)
        defer { for client in after { client.close() } }
        let shares = try accepted(64, by: shared, twin)
        #expect(shares.reduce(0, +) == 64)
        // By a hash of the addresses: that all 64 have the same half is as good as impossible.
        #expect(shares.allSatisfy { $0 > 0 })
    }

    @Test func withoutSharingThereIsNone() throws {
        let alone = try ListeningSocket.tcp(host: "127.0.0.1", port: 0, backlog: 8)
        defer { alone.close() }
        #expect(throws: SystemError.self) { try alone.twin() }
        try alone.sharePort()
        try alone.twin().close()
    }

    @Test func whatWasMadeBeforeHandshakesAreRefusedStays() throws {
        let shared = try ListeningSocket.tcp(host: "127.0.0.1", port: 0, backlog: 64, sharesPort: true)
        defer { shared.close() }
        let before = try connect(5, to: shared)
        defer { for client in before { client.close() } }
        try ListeningSocket.refuseHandshakes(shared.descriptor)
        // It is not refused, which its client would take for the end: it tries again.
        let late = try client(of: shared)
        defer { late.close() }
        #expect(late.waitUntilWritable(milliseconds: 50) == false)
        #expect(try accepted(5, by: shared) == [5])
    }

    @Test func aUnixSocketHasNone() throws {
        let socket = try ListeningSocket.unix(path: "\0monoceros-twin-\(Process.id)", backlog: 8)
        defer { socket.close() }
        #expect(!socket.canHaveTwin)
    }

    // MARK: Clients

    private func connect(_ count: Int, to listener: ListeningSocket) throws -> [Descriptor] {
        try (0..<count).map { _ in
            let client = try client(of: listener)
            #expect(client.waitUntilWritable(milliseconds: 5000))
            return client
        }
    }

    /// How many clients each listener has, once all of them have so many, or no more come. A client may know of its
    /// connection a moment before the listener has it.
    private func accepted(_ expected: Int, by listeners: ListeningSocket...) throws -> [Int] {
        var counts = [Int](repeating: 0, count: listeners.count)
        let deadline = Clock.now() + .seconds(10)
        repeat {
            for (index, listener) in listeners.enumerated() {
                while case .processed(let (socket, _)) = try listener.descriptor.accept() {
                    socket.close()
                    counts[index] += 1
                }
            }
        } while counts.reduce(0, +) < expected && Clock.now() < deadline
        return counts
    }

    /// A client that has begun to connect.
    private func client(of listener: ListeningSocket) throws -> Descriptor {
        let resolved = try ResolvedAddress(host: "127.0.0.1", port: listener.address.port!, bind: "")
        let client = try Descriptor.streamSocket(family: resolved.family)
        _ = resolved.withAddress { Glibc.connect(client.rawValue, $0, $1) }
        return client
    }
}
