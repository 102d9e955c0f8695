import Glibc
import Testing

@testable import Platform

/// Serialized: creating a Unix socket changes the umask of the whole process for a moment.
@Suite(.serialized) struct ListenQueueTests {
    @Test func countsWhatNobodyAcceptedOnAUnixSocket() throws {
        var template = Array("/tmp/monoceros-test-XXXXXX".utf8CString)
        let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        let path = directory + "/s"
        defer {
            unlink(path)
            rmdir(directory)
        }
        let listener = try ListeningSocket.unix(path: path, backlog: 17)
        defer { listener.close() }
        let queue = try #require(listener.descriptor.listenQueue())
        #expect(queue == ListenQueue(waiting: 0, limit: 17))
        var clients: [Descriptor] = []
        for count in 1...3 {
            clients.append(try connect(to: path))
            #expect(listener.descriptor.listenQueue()?.waiting == count)
        }
        guard case .processed(let accepted) = try listener.descriptor.accept() else {
            Issue.record("nobody to accept")
            return
        }
        #expect(listener.descriptor.listenQueue()?.waiting == 2)
        accepted.socket.close()
        for client in clients { client.close() }
    }

    @Test func whatIsNoListenerHasNoQueueOfItsOwn() throws {
        // A pipe is no socket at all, and no descriptor none.
        let pipe = try WakePipe()
        defer { pipe.close() }
        #expect(pipe.writer.listenQueue() == nil)
        #expect(Descriptor(rawValue: 1_000_000).listenQueue() == nil)
    }

    private func connect(to path: String) throws -> Descriptor {
        let client = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: path.utf8CString.map { UInt8(bitPattern: $0) })
        }
        let result = withUnsafeBytes(of: &address) {
            Glibc.connect(client, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
        }
        try #require(result == 0)
        return Descriptor(rawValue: client)
    }
}
