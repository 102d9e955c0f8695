import Glibc
import Synchronization
import Testing

@testable import Platform

/// Servers that want the same path at the same moment.
private final class Race: Sendable {
    let path: String
    let starters: Int
    private let ready = Atomic(0)
    let ended = Atomic(0)
    let winners = Atomic(0)
    let refused = Atomic(0)
    let winner = Atomic<Int32>(-1)

    init(_ path: String, starters: Int) {
        self.path = path
        self.starters = starters
    }

    func run() {
        ready.add(1, ordering: .sequentiallyConsistent)
        while ready.load(ordering: .sequentiallyConsistent) < starters { sched_yield() }
        do throws(ListenError) {
            let socket = try ListeningSocket.unix(path: path, backlog: 8)
            winner.store(socket.descriptor.rawValue, ordering: .sequentiallyConsistent)
            winners.add(1, ordering: .sequentiallyConsistent)
        } catch {
            if error.reason == .addressInUse { refused.add(1, ordering: .sequentiallyConsistent) }
        }
        ended.add(1, ordering: .sequentiallyConsistent)
    }
}

/// Who gets the path of a Unix socket when several servers want it.
@Suite(.serialized) final class UnixPathTests {
    private let directory: String
    private var path: String { directory + "/s" }

    init() throws {
        var template = Array("/tmp/monoceros-path-XXXXXX".utf8CString)
        directory = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        for name in ["s", "s.lock", "elsewhere"] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    private func reason(_ body: () throws -> ListeningSocket) -> ListenError.Reason? {
        do {
            try body().close()
            return nil
        } catch {
            return (error as? ListenError)?.reason
        }
    }

    private func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Another program's socket: bound, and listening only when it is told to.
    private func foreignSocket() throws -> Descriptor {
        let descriptor = try Descriptor.streamSocket(family: AF_UNIX)
        try #require(try UnixPath(path).withAddress { bind(descriptor.rawValue, $0, $1) } == 0)
        return descriptor
    }

    @Test func aSocketThatDoesNotListenYetKeepsItsPath() throws {
        let starter = try foreignSocket()
        #expect(reason { try .unix(path: self.path, backlog: 8) } == .addressInUse)
        #expect(exists(path))
        // Once it is gone the file is nobody's.
        starter.close()
        let socket = try ListeningSocket.unix(path: path, backlog: 8)
        socket.closeAndRemoveFile()
        #expect(!exists(path))
    }

    @Test func oneThatListensOrLeftDoesNotCountAsAStarter() throws {
        let unixPath = try UnixPath(path)
        #expect(!unixPath.isBoundByAStarter())
        let other = try foreignSocket()
        #expect(unixPath.isBoundByAStarter())
        #expect(listen(other.rawValue, 8) == 0)
        #expect(!unixPath.isBoundByAStarter())
        other.close()
        #expect(!unixPath.isBoundByAStarter())
    }

    @Test func oneOfManyStartersGetsThePath() throws {
        for round in 0..<40 {
            // Each time over a file that a killed server left behind.
            try ListeningSocket.unix(path: path, backlog: 8).close()
            let race = Race(path, starters: 6)
            for number in 0..<race.starters { try Thread.start(name: "starter \(number)") { race.run() } }
            while race.ended.load(ordering: .sequentiallyConsistent) < race.starters { sched_yield() }
            let winners = race.winners.load(ordering: .sequentiallyConsistent)
            let refused = race.refused.load(ordering: .sequentiallyConsistent)
            #expect(winners == 1, "round \(round)")
            #expect(refused == race.starters - 1, "round \(round)")
            // The path leads to the one who got it.
            let listener = Descriptor(rawValue: race.winner.load(ordering: .sequentiallyConsistent))
            let client = try Descriptor.streamSocket(family: AF_UNIX)
            #expect(try UnixPath(path).withAddress { connect(client.rawValue, $0, $1) } == 0)
            if case .processed(let accepted) = try listener.accept() {
                accepted.socket.close()
            } else {
                Issue.record("round \(round): the path leads elsewhere")
            }
            client.close()
            listener.close()
            #expect(!exists(path + ".lock"))
        }
    }

    @Test func aLockLeftBehindLocksNothing() throws {
        close(creat(path + ".lock", 0o600))
        let socket = try ListeningSocket.unix(path: path, backlog: 8)
        #expect(!exists(path + ".lock"))
        socket.closeAndRemoveFile()
    }

    @Test func whoCannotHaveTheLockSaysThatThePathIsInUse() throws {
        let holder = creat(path + ".lock", 0o600)
        defer { close(holder) }
        #expect(flock(holder, LOCK_EX) == 0)
        #expect(reason { try .unix(path: self.path, backlog: 8) } == .addressInUse)
        #expect(!exists(path))
    }

    @Test func aLinkInPlaceOfTheLockIsNotFollowed() throws {
        #expect(symlink(directory + "/elsewhere", path + ".lock") == 0)
        #expect(reason { try .unix(path: self.path, backlog: 8) } != nil)
        #expect(!exists(directory + "/elsewhere"))
    }
}
