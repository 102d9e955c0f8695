import Glibc
import Testing

@testable import Platform

/// The manager's end of the protocol: a datagram socket that says what arrived.
private struct Manager: ~Copyable {
    let descriptor: Int32
    let path: String

    /// - Parameter path: a leading NUL makes an abstract name.
    init(_ path: String) throws {
        self.path = path
        // 2 is SOCK_DGRAM, which is not imported everywhere.
        descriptor = socket(AF_UNIX, 2, 0)
        try #require(descriptor >= 0)
        let number = descriptor
        try #require(try UnixPath(path).withAddress { bind(number, $0, $1) } == 0)
    }

    /// The next message; nil when none waits.
    func receive() -> String? {
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    deinit {
        close(descriptor)
        if path.utf8.first != 0 { unlink(path) }
    }
}

@Suite struct ServiceManagerTests {
    private func name(_ test: String) -> String { "monoceros-notify-\(test)-\(getpid())" }

    @Test func tellsAManagerAtAPath() throws {
        let manager = try Manager("/tmp/\(name("path"))")
        let service = try #require(ServiceManager.inherited { $0 == "NOTIFY_SOCKET" ? manager.path : nil })
        #expect(service.notify(.ready, .status("2 workers")) == .sent)
        #expect(manager.receive() == "READY=1\nSTATUS=2 workers")
        #expect(service.notify(.stopping) == .sent)
        #expect(manager.receive() == "STOPPING=1")
        #expect(service.notify([]) == .sent)
        #expect(manager.receive() == nil)
    }

    @Test func tellsAManagerWithAnAbstractName() throws {
        let manager = try Manager("\0" + name("abstract"))
        let service = try #require(ServiceManager(socket: "@" + name("abstract")))
        #expect(service.notify(.watchdog) == .sent)
        #expect(manager.receive() == "WATCHDOG=1")
    }

    @Test func aFullQueueIsNotWaitedFor() throws {
        let manager = try Manager("\0" + name("full"))
        let service = try #require(ServiceManager(socket: "@" + name("full")))
        var outcomes: [ServiceManager.Outcome] = []
        // `net.unix.max_dgram_qlen` and the send buffer bound the queue; a message of a kilobyte fills it soon.
        let status = ServiceState.status(String(repeating: "x", count: 1000))
        while outcomes.count < 100_000, outcomes.last != .queueFull { outcomes.append(service.notify(status)) }
        #expect(outcomes.last == .queueFull)
        #expect(outcomes.dropLast().allSatisfy { $0 == .sent })
        #expect(manager.receive() != nil)
        #expect(service.notify(.watchdog) == .sent)
    }

    @Test func aManagerThatIsGoneIsAValue() throws {
        let service = try #require(ServiceManager(socket: "/tmp/\(name("nobody"))"))
        guard case .failed(let error) = service.notify(.ready) else {
            Issue.record("sent to nobody")
            return
        }
        #expect(error.errno == .noSuchFile)
    }

    @Test(arguments: ["", "@", "relative", "vsock:2:1234", "/tmp/a\u{0}b", "/" + String(repeating: "x", count: 107)])
    func anAddressThatIsNoneIsNoManager(_ socket: String) {
        #expect(ServiceManager(socket: socket) == nil)
        #expect(ServiceManager.inherited { _ in socket } == nil)
    }

    @Test func withoutTheVariableThereIsNoManager() {
        #expect(ServiceManager.inherited { _ in nil } == nil)
    }

    @Test func writesEveryState() {
        #expect(ServiceState.ready.assignments == "READY=1")
        #expect(ServiceState.reloading(since: 1_234_567_999).assignments == "RELOADING=1\nMONOTONIC_USEC=1234567")
        #expect(ServiceState.mainPID(4711).assignments == "MAINPID=4711")
        #expect(ServiceState.extendTimeout(.seconds(3)).assignments == "EXTEND_TIMEOUT_USEC=3000000")
    }

    @Test func aStatusStaysOneLine() {
        #expect(ServiceState.status("a\nREADY=1\r\u{0}b\u{2028}c").assignments == "STATUS=a READY=1  b c")
        let long = ServiceState.status(String(repeating: "é", count: 1000)).assignments
        #expect(long == "STATUS=" + String(repeating: "é", count: 512))
    }

    @Test func readsTheWatchdog() throws {
        func timeout(_ variables: [String: String]) throws -> Nanoseconds? {
            try ServiceManager.watchdogTimeout(for: 42) { variables[$0] }
        }
        #expect(try timeout([:]) == nil)
        #expect(try timeout(["WATCHDOG_USEC": "10000000"]) == .seconds(10))
        #expect(try timeout(["WATCHDOG_USEC": "1500", "WATCHDOG_PID": "42"]) == .microseconds(1500))
        #expect(try timeout(["WATCHDOG_USEC": "1500", "WATCHDOG_PID": "43"]) == nil)
        #expect(try timeout(["WATCHDOG_USEC": "18446744073709551"]) == 18_446_744_073_709_551_000)
        for bad in [
            "", "0", "-1", "+5", "5s", " 5", "18446744073709552", "18446744073709551615", "99999999999999999999",
        ] {
            #expect(throws: ServiceVariableError(name: "WATCHDOG_USEC", value: bad)) {
                try timeout(["WATCHDOG_USEC": bad])
            }
        }
        for bad in ["", "0", "-42", "x", "99999999999"] {
            #expect(throws: ServiceVariableError(name: "WATCHDOG_PID", value: bad)) {
                try timeout(["WATCHDOG_USEC": "1000", "WATCHDOG_PID": bad])
            }
        }
    }
}
