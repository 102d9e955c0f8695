import Glibc
import Testing

@testable import Platform

/// Real sockets on the loopback interface and in a temporary directory. Serialized: creating a unix socket changes the
/// umask of the whole process for a moment.
@Suite(.serialized) final class ListeningSocketTests {
    private let directory: String

    init() throws {
        var template = Array("/tmp/monoceros-test-XXXXXX".utf8CString)
        directory = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        for name in ["s", "other", "file", "link"] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    private var path: String { directory + "/s" }

    private func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    private func reason(_ body: () throws -> ListeningSocket) -> ListenError.Reason? {
        do {
            try body().close()
            return nil
        } catch {
            return (error as? ListenError)?.reason
        }
    }

    @Test func picksAPortAndSaysWhich() throws {
        let socket = try ListeningSocket.tcp(host: "127.0.0.1", port: 0, backlog: 8)
        defer { socket.close() }
        let port = try #require(socket.address.port)
        #expect(port != 0)
        #expect(socket.url == "http://127.0.0.1:\(port)")
        #expect(try socket.descriptor.option(SOL_SOCKET, SO_ACCEPTCONN) == 1)
        #expect(try socket.descriptor.option(Int32(IPPROTO_TCP), TCP_NODELAY) != 0)
        #expect(fcntl(socket.descriptor.rawValue, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(socket.descriptor.rawValue, F_GETFL) & O_NONBLOCK != 0)
        // Nobody has connected, and accepting does not wait for it.
        guard case .wouldBlock = try socket.descriptor.accept() else {
            Issue.record("a connection out of nowhere")
            return
        }
    }

    @Test func resolvesNamesToIPv4First() throws {
        let socket = try ListeningSocket.tcp(host: "localhost", port: 0, backlog: 8)
        defer { socket.close() }
        #expect(socket.address.host == "127.0.0.1")
    }

    @Test func anEmptyHostIsAllOfIPv4() throws {
        let socket = try ListeningSocket.tcp(host: "", port: 0, backlog: 8)
        defer { socket.close() }
        #expect(socket.address.host == "0.0.0.0")
    }

    @Test func writesIPv6InBrackets() throws {
        let result = Result { try ListeningSocket.tcp(host: "::1", port: 0, backlog: 8) }
        switch result {
        case .success(let socket):
            #expect(socket.url == "http://[::1]:\(socket.address.port ?? 0)")
            #expect(socket.address.port != 0)
            socket.close()
        case .failure(let error):
            // A machine without IPv6 says so, and names the address as the user writes it.
            #expect((error as? ListenError)?.bind == "[::1]:0")
            #expect((error as? ListenError)?.reason == .addressNotAvailable)
        }
    }

    /// The kernel keeps a client back that says nothing, and gives it out with its first bytes.
    @Test func aDeferredClientIsAcceptedWithItsFirstBytes() throws {
        let listener = try ListeningSocket.tcp(host: "127.0.0.1", port: 0, backlog: 8)
        defer { listener.close() }
        // Long enough for the test never to see its end.
        try listener.deferAccept(seconds: 60)
        let client = Descriptor(rawValue: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        defer { client.close() }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = try #require(listener.address.port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let outcome = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client.rawValue, $0, size) }
        }
        #expect(outcome == 0)
        guard case .wouldBlock = try listener.descriptor.accept() else {
            Issue.record("a silent client was given out")
            return
        }
        #expect(send(client.rawValue, "x", 1, 0) == 1)
        #expect(listener.descriptor.waitUntilReadable(milliseconds: 10_000))
        guard case .processed(let (socket, _)) = try listener.descriptor.accept() else {
            Issue.record("a client that spoke was not given out")
            return
        }
        socket.close()
        let local = try ListeningSocket.unix(path: "\u{0}monoceros-defer-\(Process.id)", backlog: 8)
        defer { local.close() }
        #expect(throws: SystemError.self) { try local.deferAccept(seconds: 1) }
    }

    @Test func aPortInUseIsAnError() throws {
        let socket = try ListeningSocket.tcp(host: "127.0.0.1", port: 0, backlog: 8)
        defer { socket.close() }
        let port = try #require(socket.address.port)
        let error = #expect(throws: ListenError.self) {
            try ListeningSocket.tcp(host: "127.0.0.1", port: port, backlog: 8)
        }
        #expect(error?.reason == .addressInUse)
        #expect(error.map { "\($0)".hasPrefix("127.0.0.1:\(port): address already in use") } == true)
    }

    @Test func anAddressOfAnotherMachineIsAnError() {
        #expect(reason { try .tcp(host: "192.0.2.1", port: 0, backlog: 8) } == .addressNotAvailable)
    }

    @Test(arguments: ["no such host", "127.0.0.1\u{0}", "::zz"])
    func aHostWithoutAddressIsAnError(_ host: String) throws {
        guard case .hostNotFound? = reason({ try .tcp(host: host, port: 0, backlog: 8) }) else {
            Issue.record("not hostNotFound")
            return
        }
    }

    @Test func aUnixSocketIsOpenToAllAndGoesWithItsServer() throws {
        let socket = try ListeningSocket.unix(path: path, backlog: 8)
        var status = stat()
        #expect(lstat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o777)
        #expect(socket.url == "unix:\(path)")
        #expect(socket.address == .unix(path: path))
        socket.closeAndRemoveFile()
        #expect(!exists(path))
    }

    @Test func aUmaskRestrictsIt() throws {
        let socket = try ListeningSocket.unix(path: path, umask: 0o077, backlog: 8)
        var status = stat()
        #expect(lstat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        socket.close()
    }

    @Test func aSocketLeftBehindIsReplaced() throws {
        let dead = try ListeningSocket.unix(path: path, backlog: 8)
        dead.close()
        #expect(exists(path))
        let socket = try ListeningSocket.unix(path: path, backlog: 8)
        socket.closeAndRemoveFile()
        #expect(!exists(path))
    }

    @Test func theFileOfAnotherServerIsLeftAlone() throws {
        let first = try ListeningSocket.unix(path: path, backlog: 8)
        unlink(path)
        let second = try ListeningSocket.unix(path: path, backlog: 8)
        first.closeAndRemoveFile()
        #expect(exists(path))
        second.closeAndRemoveFile()
        #expect(!exists(path))
    }

    @Test func aLiveServerKeepsItsPath() throws {
        let socket = try ListeningSocket.unix(path: path, backlog: 8)
        #expect(reason { try .unix(path: self.path, backlog: 8) } == .addressInUse)
        #expect(exists(path))
        socket.close()
    }

    @Test func aLiveServerWithAFullQueueKeepsItsPath() throws {
        let socket = try ListeningSocket.unix(path: path, backlog: 0)
        let unixPath = try UnixPath(path)
        var clients: [Descriptor] = []
        defer { for client in clients { client.close() } }
        for _ in 0..<8 {
            let client = try Descriptor.streamSocket(family: AF_UNIX)
            clients.append(client)
            if unixPath.withAddress({ connect(client.rawValue, $0, $1) }) != 0 { break }
        }
        #expect(clients.count < 8)
        #expect(reason { try .unix(path: self.path, backlog: 8) } == .addressInUse)
        socket.close()
    }

    @Test func anotherKindOfFileIsLeftAlone() throws {
        let file = directory + "/file"
        close(creat(file, 0o600))
        #expect(reason { try .unix(path: file, backlog: 8) } == .notASocket)
        #expect(exists(file))
        // Nor is a link followed to a socket elsewhere.
        try ListeningSocket.unix(path: path, backlog: 8).close()
        let link = directory + "/link"
        #expect(symlink(path, link) == 0)
        #expect(reason { try .unix(path: link, backlog: 8) } == .notASocket)
        #expect(exists(path))
    }

    @Test func aPathIsCheckedBeforeUse() {
        let long = "/" + String(repeating: "x", count: 107)
        #expect(reason { try .unix(path: long, backlog: 8) } == .pathTooLong(bytes: 108))
        #expect(reason { try .unix(path: "", backlog: 8) } == .pathInvalid)
        #expect(reason { try .unix(path: "/tmp/a\u{0}b", backlog: 8) } == .pathInvalid)
        #expect(reason { try .unix(path: self.directory + "/none/s", backlog: 8) } == .noSuchDirectory)
    }

    @Test func theLongestPathWorks() throws {
        let name = String(repeating: "x", count: 107 - directory.utf8.count - 1)
        let socket = try ListeningSocket.unix(path: "\(directory)/\(name)", backlog: 8)
        socket.closeAndRemoveFile()
        #expect(!exists("\(directory)/\(name)"))
    }

    @Test func anAbstractNameHasNoFile() throws {
        let name = "monoceros-test-\(getpid())"
        let socket = try ListeningSocket.unix(path: "\u{0}\(name)", backlog: 8)
        #expect(socket.url == "unix:@\(name)")
        #expect(reason { try .unix(path: "\u{0}\(name)", backlog: 8) } == .addressInUse)
        socket.closeAndRemoveFile()
    }

    @Test func anAdoptedAbstractNameIsShown() throws {
        let name = "monoceros-adopted-\(getpid())"
        let socket = try ListeningSocket.unix(path: "\u{0}\(name)", backlog: 8)
        #expect(try ListeningSocket.adopt(descriptor: socket.descriptor.rawValue, backlog: 8).url == "unix:@\(name)")
        socket.close()
    }

    @Test func adoptsAnInheritedSocket() throws {
        let parent = try ListeningSocket.tcp(host: "127.0.0.1", port: 0, backlog: 8)
        let adopted = try ListeningSocket.adopt(descriptor: parent.descriptor.rawValue, backlog: 8)
        #expect(adopted.url == parent.url)
        adopted.close()

        let unix = try ListeningSocket.unix(path: path, backlog: 8)
        let second = try ListeningSocket.adopt(descriptor: unix.descriptor.rawValue, backlog: 8)
        #expect(second.url == "unix:\(path)")
        second.closeAndRemoveFile()
        #expect(exists(path))
        unix.close()
    }

    @Test func makesAnInheritedSocketListen() throws {
        let bare = try Descriptor.streamSocket(family: AF_INET)
        let adopted = try ListeningSocket.adopt(descriptor: bare.rawValue, backlog: 8)
        #expect(try bare.option(SOL_SOCKET, SO_ACCEPTCONN) == 1)
        #expect(adopted.address.port != 0)
        adopted.close()
    }

    @Test func refusesWhatIsNoStreamSocket() throws {
        guard case .descriptorUnusable? = reason({ try .adopt(descriptor: 9999, backlog: 8) }) else {
            Issue.record("a closed descriptor was adopted")
            return
        }
        let waker = try Waker()
        defer { waker.descriptor.close() }
        guard case .descriptorUnusable? = reason({ try .adopt(descriptor: waker.descriptor.rawValue, backlog: 8) })
        else {
            Issue.record("a descriptor that is no socket was adopted")
            return
        }
        // A datagram socket, as `/dev/log` is; 2 is SOCK_DGRAM, which is not imported everywhere.
        let datagram = socket(AF_INET, 2, 0)
        defer { close(datagram) }
        guard case .descriptorUnusable? = reason({ try .adopt(descriptor: datagram, backlog: 8) }) else {
            Issue.record("a datagram socket was adopted")
            return
        }
    }
}
