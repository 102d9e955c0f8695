import Glibc
import Testing

@testable import Platform

@Suite struct InheritedSocketsTests {
    private func announced(_ variables: [String: String]) throws -> [(descriptor: Int32, name: String?)] {
        try InheritedSocket.announced(for: 42) { variables[$0] }
    }

    @Test func readsWhichDescriptors() throws {
        let plain = try announced(["LISTEN_PID": "42", "LISTEN_FDS": "2"])
        #expect(plain.map(\.descriptor) == [3, 4])
        #expect(plain.map(\.name) == [nil, nil])
        let named = try announced(["LISTEN_PID": "42", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "web::connection"])
        #expect(named.map(\.descriptor) == [3, 4, 5])
        #expect(named.map(\.name) == ["web", "", "connection"])
        #expect(try announced(["LISTEN_PID": "42", "LISTEN_FDS": "0"]).isEmpty)
        #expect(try announced(["LISTEN_PID": "42", "LISTEN_FDS": "0", "LISTEN_FDNAMES": ""]).isEmpty)
    }

    @Test func whatIsForAnotherProcessIsLeftAlone() throws {
        #expect(try announced(["LISTEN_PID": "43", "LISTEN_FDS": "2"]).isEmpty)
        #expect(try announced(["LISTEN_FDS": "2"]).isEmpty)
        #expect(try announced(["LISTEN_PID": "42"]).isEmpty)
    }

    @Test(arguments: [
        ("LISTEN_FDS", "-1"), ("LISTEN_FDS", ""), ("LISTEN_FDS", "2x"), ("LISTEN_FDS", "2147483647"),
        ("LISTEN_FDS", "99999999999999999999"), ("LISTEN_PID", "0"), ("LISTEN_PID", "+42"),
        ("LISTEN_PID", "4294967338"), ("LISTEN_FDNAMES", "a"), ("LISTEN_FDNAMES", "a:b:c"), ("LISTEN_FDNAMES", ""),
    ])
    func aVariableThatCannotBeReadIsAnError(_ name: String, _ value: String) {
        var variables = ["LISTEN_PID": "42", "LISTEN_FDS": "2"]
        variables[name] = value
        #expect(throws: InheritedSocketError.variable(ServiceVariableError(name: name, value: value))) {
            try announced(variables)
        }
    }

    @Test func errorsNameTheDescriptor() {
        let errors: [InheritedSocketError] = [
            .notOpen(descriptor: 17), .notAStreamSocket(descriptor: 17), .notListening(descriptor: 17),
        ]
        for error in errors { #expect("\(error)".contains("descriptor 17")) }
    }
}

/// Real descriptors. Serialized: the environment belongs to the whole process.
@Suite(.serialized) struct InheritedDescriptorTests {
    @Test func tellsWhatADescriptorIs() throws {
        let ipv4 = try ListeningSocket.tcp(host: "127.0.0.1", port: 0, backlog: 8)
        defer { ipv4.close() }
        #expect(try InheritedSocket.kind(of: ipv4.descriptor.rawValue) == .ipv4)
        if let ipv6 = try? ListeningSocket.tcp(host: "::1", port: 0, backlog: 8) {
            #expect(try InheritedSocket.kind(of: ipv6.descriptor.rawValue) == .ipv6)
            ipv6.close()
        }
        let unix = try ListeningSocket.unix(path: "\0monoceros-inherited-\(getpid())", backlog: 8)
        defer { unix.close() }
        #expect(try InheritedSocket.kind(of: unix.descriptor.rawValue) == .unix)
    }

    @Test func refusesWhatCannotBeServed() throws {
        let bare = try Descriptor.streamSocket(family: AF_INET)
        defer { bare.close() }
        #expect(throws: InheritedSocketError.notListening(descriptor: bare.rawValue)) {
            try InheritedSocket.kind(of: bare.rawValue)
        }
        let pipe = try WakePipe()
        defer { pipe.close() }
        #expect(throws: InheritedSocketError.notAStreamSocket(descriptor: pipe.descriptor.rawValue)) {
            try InheritedSocket.kind(of: pipe.descriptor.rawValue)
        }
        let datagram = socket(AF_UNIX, 2, 0)
        defer { close(datagram) }
        #expect(throws: InheritedSocketError.notAStreamSocket(descriptor: datagram)) {
            try InheritedSocket.kind(of: datagram)
        }
        #expect(throws: InheritedSocketError.notAStreamSocket(descriptor: 9999)) {
            try InheritedSocket.kind(of: 9999)
        }
    }

    @Test func takesThemWithCloseOnExecAndRemovesTheVariables() throws {
        let listener = try ListeningSocket.tcp(host: "127.0.0.1", port: 0, backlog: 8)
        defer { listener.close() }
        let number = listener.descriptor.rawValue
        _ = fcntl(number, F_SETFD, 0)
        setenv("LISTEN_FDNAMES", "left over", 1)
        setenv("LISTEN_FDS", "1", 1)
        let taken = try InheritedSocket.take(for: 42, startingAt: number) {
            ["LISTEN_PID": "42", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"][$0]
        }
        #expect(taken == [InheritedSocket(descriptor: listener.descriptor, name: "web", kind: .ipv4)])
        #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
        #expect(Process.environment("LISTEN_FDS") == nil)
        #expect(Process.environment("LISTEN_FDNAMES") == nil)
        // An adopted one listens where it did.
        #expect(try ListeningSocket.adopt(descriptor: number, backlog: 8).url == listener.url)
    }

    @Test func aDescriptorThatIsNotOpenIsNamed() {
        #expect(throws: InheritedSocketError.notOpen(descriptor: 9999)) {
            try InheritedSocket.take(for: 42, startingAt: 9999) { ["LISTEN_PID": "42", "LISTEN_FDS": "1"][$0] }
        }
    }
}
